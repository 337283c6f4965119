// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <aimlvideo/job.h>
#include <aimlvideo/ledger.h>

#include "background.h"
#include "base/json/value.h"

namespace aimlvideo::cli {

/// How a job that was waited for stands.
struct Waited {
  LedgerRow job; ///< its row, as it is on disk
  Status status; ///< of this run; its state is Idle where nobody had to be asked
  std::optional<Error> failure;

  /// The service has made the clip.
  bool isMade() const { return job.state == LedgerRow::State::Completed; }
  /// It may still come.
  bool isPending() const {
    return !failure && (job.state == LedgerRow::State::Running || job.state == LedgerRow::State::Sent);
  }
};

/// Waits until the service has made the clips of jobs, or for some time; fetches none and buys nothing. For the main
/// loop's thread.
class Waiter {
public:
  /// Begins at once. `ended` is called once, from the main loop, with a result for each job in their order, and may
  /// destroy this. `settings` say how to reach the service.
  Waiter(const std::vector<LedgerRow> &jobs, const Settings &settings, std::chrono::seconds patience,
         std::function<void(std::vector<Waited>)> ended);
  Waiter(const Waiter &) = delete;
  Waiter &operator=(const Waiter &) = delete;
  ~Waiter();

  /// Waits no longer. How they stand; `ended` is not called any more.
  std::vector<Waited> interrupt();

private:
  class Guest;

  void leave();
  void end();
  std::vector<Waited> results();

  std::function<void(std::vector<Waited>)> ended_; ///< empty: it has ended
  const std::shared_ptr<Inbox> inbox_ = Inbox::create();
  std::vector<std::unique_ptr<Guest>> guests_;
  size_t waiting_ = 0; ///< guests
  guint patience_ = 0;
};

/// For programs: one of them, and the answer about all.
json::Value jsonOf(const Waited &waited);
json::Value answerOf(const std::vector<Waited> &jobs);
/// Seconds to come back in for all that is pending.
int secondsToComeBackIn(const std::vector<Waited> &jobs);

} // namespace aimlvideo::cli
