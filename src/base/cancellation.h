// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>

#include <gio/gio.h>

#include "base/glib_ptr.h"
#include "base/loop.h"

namespace aimlvideo {

/// A sticky wish to stop, shared by a task on the network thread and the threads that may stop it.
class Cancellation {
public:
  Cancellation() : shared_(std::make_shared<Shared>()) {}
  Cancellation(const Cancellation &) = delete;
  Cancellation &operator=(const Cancellation &) = delete;

  /// From any thread; returns at once. The network thread then ends all waits and attempts under way.
  void cancel();
  /// From any thread.
  bool cancelled() const { return shared_->cancelled; }

  /// Sleeps until `when`. Awaited; false as soon as cancelled.
  Task<bool> sleepUntil(Clock::time_point when);

  /// Calls once when it is cancelled, unless it goes before. For the network thread; not called if it is cancelled
  /// already.
  class Listener {
  public:
    Listener(Cancellation &owner, std::function<void()> call);
    Listener(const Listener &) = delete;
    Listener &operator=(const Listener &) = delete;
    ~Listener();

  private:
    friend class Cancellation;
    Cancellation &owner_;
    std::function<void()> call_; ///< empty: it has called
    std::list<Listener *>::iterator place_;
  };

  /// One attempt of asynchronous I/O with a GCancellable of its own, cancelled with the Cancellation or at a deadline.
  /// For the network thread.
  class Attempt {
  public:
    Attempt(Cancellation &owner, Clock::time_point deadline);

    /// From any thread. Cancelled, where it has to be, before this returns: who has just asked in vain may ask again at
    /// once.
    GCancellable *cancellable() const;

  private:
    const Cancellation &owner_;
    const Clock::time_point deadline_;
    GRefPtr<GCancellable> cancellable_;
    Listener listener_;
    Loop::Timer timer_;
  };

private:
  struct Shared {
    std::atomic<bool> cancelled = false;
    std::list<Listener *> listeners; ///< of the network thread
  };
  std::shared_ptr<Shared> shared_;
};

/// A place to wait at for something that another thread, or another task, brings about. For the network thread, but for
/// waker().
class Waiter {
public:
  explicit Waiter(Cancellation &cancellation) : cancellation_(cancellation), shared_(std::make_shared<Shared>()) {}
  Waiter(const Waiter &) = delete;
  Waiter &operator=(const Waiter &) = delete;

  /// Ends the wait, or the next one at its beginning.
  void wake() { shared_->wake(); }
  /// The same for any thread, also when the Waiter has gone.
  std::function<void()> waker() const;

  /// Awaited: until it is woken, or until `when`. False as soon as cancelled.
  Task<bool> until(Clock::time_point when);

private:
  struct Shared {
    std::coroutine_handle<> waiting;
    bool woken = false;
    void wake();
  };
  Cancellation &cancellation_;
  std::shared_ptr<Shared> shared_;
};

} // namespace aimlvideo
