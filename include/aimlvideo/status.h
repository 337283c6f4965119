// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <aimlvideo/export.h>

namespace aimlvideo {

using Clock = std::chrono::steady_clock;

/// The life of a generation as its user sees it.
enum class State {
  Idle,
  QueuedLocally, ///< waits for its turn in this process
  Submitting,
  LookingUp, ///< the outcome of the submission is being looked up
  Queued,    ///< accepted by the service
  Generating,
  Downloading,
  Completed,
  Failed,
  Cancelled,
};

/// The state in the spelling of the element's property `status`.
AIMLVIDEO_API const char *nameOf(State state);

/// Where a clip comes from.
enum class Origin {
  None,     ///< not known yet, or nothing was accepted
  Bought,   ///< submitted by this run, and accepted
  LookedUp, ///< submitted, with the answer lost, and found in the account's log
  Resumed,  ///< bought by an earlier run or elsewhere
  Joined,   ///< bought by someone else who was working on the same request
  Replayed, ///< from the clip store
};

/// The origin in the spelling of messages.
AIMLVIDEO_API const char *nameOf(Origin origin);

/// What a generation used, as far as the service says; the numbers may come with any answer.
struct AIMLVIDEO_API Usage {
  std::optional<double> credits; ///< 2,000,000 credits are 1 USD
  std::optional<double> usd;

  /// Adopts what `newer` knows.
  void update(const Usage &newer);
};

/// What is known about the end of a wait.
struct Outlook {
  /// Half of all generations that have taken this long end within this time; empty once it takes longer than usual.
  std::optional<std::chrono::milliseconds> left;
  double done = 0;      ///< share of the wait, 0 to 1
  bool overdue = false; ///< nine of ten generations have ended by now
};

/// A snapshot of a generation: plain values, copied between threads.
struct AIMLVIDEO_API Status {
  State state = State::Idle;
  std::string model;
  std::string prompt; ///< what was sent
  std::string generationId;
  std::string clientRequestId; ///< of the latest submission
  Origin origin = Origin::None;
  Usage usage;                        ///< of the generation, whoever bought it; see billed()
  std::optional<double> estimatedUsd; ///< by the price list, before anything was bought

  Clock::time_point started{};
  Clock::time_point accepted{};              ///< by the service, perhaps before `started`; 0: not yet, or not known
  std::chrono::milliseconds queueTime{0};    ///< spent on waiting for its turn in this process
  std::chrono::milliseconds submitTime{0};   ///< until the service had accepted, with the above
  std::chrono::milliseconds waitTime{0};     ///< from then until it had completed
  std::chrono::milliseconds downloadTime{0}; ///< from then until the clip was complete
  Outlook outlook;                           ///< of the wait; the latest that was reported
  bool hasOutlook = false;
  int leastPercent = 0; ///< what was reported before

  unsigned polls = 0;
  unsigned retries = 0; ///< attempts beyond the first, of any exchange
  uint64_t bytesReceived = 0;
  std::optional<uint64_t> bytesTotal;
  uint64_t bytesPerSecond = 0; ///< recently; 0 before there is a rate
  std::string unmarked;        ///< of a complete clip: why it is delivered without a mark; empty: it has one

  /// This run submitted it, and it was accepted.
  bool bought() const { return origin == Origin::Bought || origin == Origin::LookedUp; }
  /// Nothing was bought for it.
  bool reused() const { return origin == Origin::Resumed || origin == Origin::Joined || origin == Origin::Replayed; }
  /// What this run bought and was billed for, so that a sum over runs counts nothing twice: 0 where another run bought
  /// the generation, or none did.
  Usage billed() const;
  /// It is being waited for, and an outlook can be given.
  bool waiting() const { return state == State::Submitting || state == State::Queued || state == State::Generating; }
  std::chrono::milliseconds elapsed() const;
  /// Time left until completion, see Outlook; empty if unknown or while nothing is being waited for.
  std::optional<std::chrono::milliseconds> remaining() const;
  /// 0 to 100 over the whole generation; empty if unknown. Never 100 before Completed, and never less than what was
  /// reported before.
  std::optional<int> percent() const;
};

/// What it is doing, in one line for a person: `generating, 12 s so far, about 40 s left`.
AIMLVIDEO_API std::string describe(const Status &status);

} // namespace aimlvideo
