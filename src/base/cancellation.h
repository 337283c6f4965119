// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>

#include <gio/gio.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

using Clock = std::chrono::steady_clock;

/// A sticky wish to stop, shared by the thread that works and the threads that may stop it.
class Cancellation {
public:
  Cancellation() = default;
  Cancellation(const Cancellation &) = delete;
  Cancellation &operator=(const Cancellation &) = delete;

  /// From any thread; returns at once. Wakes sleepers and cancels the attempts under way.
  void cancel();
  bool cancelled() const;
  /// Sleeps until `when`. Returns false as soon as cancelled.
  bool sleepUntil(Clock::time_point when);
  /// Sleeps until `ready`, which is asked at first and after each nudge(). Returns false as soon as cancelled.
  bool sleepUntilReady(const std::function<bool()> &ready);
  /// From any thread: lets a sleeper ask again.
  void nudge();

  /// One attempt of blocking I/O with a GCancellable of its own, cancelled with the Cancellation or at a deadline.
  class Attempt {
  public:
    Attempt(Cancellation &owner, Clock::time_point deadline);
    Attempt(const Attempt &) = delete;
    Attempt &operator=(const Attempt &) = delete;
    ~Attempt();

    GCancellable *cancellable() const { return cancellable_.get(); }

  private:
    Cancellation &owner_;
    GRefPtr<GCancellable> cancellable_;
  };

private:
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool cancelled_ = false;
  std::set<GCancellable *> attempts_;
};

} // namespace aimlvideo
