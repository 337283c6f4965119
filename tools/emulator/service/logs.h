// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "emulator/service/options.h"
#include "emulator/service/task.h"
#include "emulator/service/window.h"
#include "emulator/wire/http.h"

namespace aimlvideo::emulator {

/// One line of /v2/logs: something asked of the service with a key, and what came of it.
struct LogRow {
  gint64 created = 0; ///< microseconds since 1970
  std::string model;
  std::string inferenceId;
  std::string clientRequestId;
  std::string keyStart; ///< the first characters of the key
  Cost cost;
  double acceptedAt = 0; ///< monotonic, seconds
  double endedAt = -1;   ///< monotonic, seconds; -1: still running
  bool hasFailed = false;
};

class Logs {
public:
  /// Other people who share the account have asked for things, too.
  Logs();

  /// The row of a new task, for the caller to keep up to date.
  std::shared_ptr<LogRow> add(const Task &task, const std::string &key);
  void clear();
  Response list(const Request &request, const LogDelay &delay);

private:
  struct Query {
    Window window;
    std::vector<std::string> models;
    std::string status, keyPrefix;
    size_t limit = 50, offset = 0;
  };

  void addOthers();
  bool isTooFrequent();
  static tl::expected<Query, std::string> readQuery(const Request &request);
  static bool matches(const LogRow &row, const Query &query);
  static Json json(const LogRow &row);

  std::deque<std::shared_ptr<LogRow>> rows_; ///< oldest first
  std::deque<double> recentRequests_;
};

} // namespace aimlvideo::emulator
