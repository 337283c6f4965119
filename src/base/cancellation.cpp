// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/cancellation.h"

#include <map>
#include <thread>
#include <vector>

namespace aimlvideo {

namespace {

/// Cancels what is still under way at its deadline. libsoup's own time-out only counts idle time, so a server that
/// sends a byte now and then would hold a blocking call for ever.
///
/// One thread for the whole process, started with the first deadline and never ended: it owns nothing but the
/// references in `armed_`.
class Watchdog {
public:
  static Watchdog &instance() {
    static auto *watchdog = new Watchdog; // outlives every worker, also those still running at exit
    return *watchdog;
  }

  void arm(Clock::time_point deadline, GCancellable *cancellable) {
    const std::lock_guard lock(mutex_);
    if (!running_) {
      std::thread([this] { run(); }).detach();
      running_ = true;
    }
    const bool first = armed_.empty() || deadline < armed_.begin()->first;
    armed_.emplace(deadline, share(cancellable));
    if (first)
      wake_.notify_one();
  }

  void disarm(GCancellable *cancellable) {
    GRefPtr<GCancellable> dropped; // released after the lock
    const std::lock_guard lock(mutex_);
    for (auto entry = armed_.begin(); entry != armed_.end(); ++entry) {
      if (entry->second.get() == cancellable) {
        dropped = std::move(entry->second);
        armed_.erase(entry);
        return;
      }
    }
  }

private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (armed_.empty()) {
        wake_.wait(lock, [this] { return !armed_.empty(); });
      } else {
        const Clock::time_point first = armed_.begin()->first; // its entry may go while this sleeps
        wake_.wait_until(lock, first);
      }
      std::vector<GRefPtr<GCancellable>> expired;
      while (!armed_.empty() && armed_.begin()->first <= Clock::now()) {
        expired.push_back(std::move(armed_.begin()->second));
        armed_.erase(armed_.begin());
      }
      lock.unlock();
      for (const auto &cancellable : expired)
        g_cancellable_cancel(cancellable.get());
      expired.clear();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  bool running_ = false;
  std::multimap<Clock::time_point, GRefPtr<GCancellable>> armed_;
};

} // namespace

void Cancellation::cancel() {
  std::vector<GRefPtr<GCancellable>> underWay;
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    for (GCancellable *attempt : attempts_)
      underWay.push_back(share(attempt));
  }
  wake_.notify_all();
  for (const auto &attempt : underWay)
    g_cancellable_cancel(attempt.get());
}

bool Cancellation::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

bool Cancellation::sleepUntil(Clock::time_point when) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_until(lock, when, [this] { return cancelled_; });
}

bool Cancellation::sleepUntilReady(const std::function<bool()> &ready) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [&] { return cancelled_ || ready(); });
  return !cancelled_;
}

void Cancellation::nudge() {
  const std::lock_guard lock(mutex_); // a sleeper that has just asked is asleep before it is woken
  wake_.notify_all();
}

Cancellation::Attempt::Attempt(Cancellation &owner, Clock::time_point deadline)
    : owner_(owner), cancellable_(adopt(g_cancellable_new())) {
  Watchdog::instance().arm(deadline, cancellable_.get());
  bool late = false;
  {
    const std::lock_guard lock(owner_.mutex_);
    owner_.attempts_.insert(cancellable_.get());
    late = owner_.cancelled_;
  }
  if (late)
    g_cancellable_cancel(cancellable_.get());
}

Cancellation::Attempt::~Attempt() {
  {
    const std::lock_guard lock(owner_.mutex_);
    owner_.attempts_.erase(cancellable_.get());
  }
  Watchdog::instance().disarm(cancellable_.get());
}

} // namespace aimlvideo
