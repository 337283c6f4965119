// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "emulator/studio/look.h"

namespace aimlvideo::emulator {

/// The documented forms of generation ids.
enum class IdShape { Model, Uuid, Nano, Digits, DigitsModel, Dated, Hex, Mixed };

/// The documented forms of the answers to create and poll.
/// Documented: each model as its own page shows it.
enum class ReplyShape {
  Documented,
  Schema,
  GenerationId,
  VideoArray,
  VideoStrings,
  Extras,
  OldUsage,
  Placeholders,
  Mixed
};

/// What is done with keys of a request that the model's schema does not have.
enum class UnknownKeys { Ignore, Warn, Refuse };

/// When a row for a generation appears in /v2/logs.
struct LogDelay {
  bool whenCompleted = true;
  double seconds = 0; ///< after that moment, or after the request was accepted
};

struct Options {
  std::string address = "127.0.0.1";
  int port = 8089;
  std::vector<std::string> keys;         ///< none: any key will do
  std::vector<std::string> allowedHosts; ///< names that it goes by, beside those of loopback
  double generationSeconds = 2;
  bool realisticTimes = false;
  double speed = 1;
  Layout layout = Layout::FastStart;
  int renderSize = 0;
  std::string clipFile;
  std::string clipHost;
  IdShape idShape = IdShape::Model;
  ReplyShape replyShape = ReplyShape::Documented;
  std::map<std::string, std::string> stateSpelling; ///< queued, generating, completed, error -> what is said
  bool takesUnknownModels = false;
  UnknownKeys unknownKeys = UnknownKeys::Ignore;
  LogDelay logDelay;
  double latency = 0;   ///< seconds before each answer of the service
  double bandwidth = 0; ///< bytes per second of each clip download; 0: no limit
  std::string tlsCertificate;
  std::string tlsKey;
  std::string scenarioFile;
  size_t history = 1000;
  double retention = 86'400; ///< seconds
  double balance = 100'000;  ///< USD
  std::optional<unsigned> seed;
  bool verbose = false;
  bool exitWithParent = false;
};

} // namespace aimlvideo::emulator
