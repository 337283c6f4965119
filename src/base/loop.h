// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cassert>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <typeindex>
#include <utility>
#include <vector>

#include <glib.h>

#include "base/mutex.h"
#include "base/task.h"
#include "base/workers.h"

namespace aimlvideo {

using Clock = std::chrono::steady_clock;

/// The network thread of this process: all generations wait on it, as coroutines. It starts with the first use and
/// never ends. A forked child that uses it gets one of its own, with nothing of what the parent's held.
class Loop {
public:
  static Loop &instance();
  Loop(const Loop &) = delete;
  Loop &operator=(const Loop &) = delete;

  // For any thread.

  /// Has the network thread do something soon, after all that was posted before.
  void post(std::function<void()> work) EXCLUDES(mutex_);
  /// Threads for SQLite and the engine's own files. They are few since each may use a processor. See onPool().
  Workers &pool() { return pool_; }
  /// Whether this is the network thread. What lives there asserts it, which costs nothing in builds without assertions.
  bool isCurrent() const { return thread_.load() == std::this_thread::get_id(); }
  /// Runs a task there and blocks until it has ended. Not for the network thread itself.
  template <typename T>
  T wait(Task<T> task);

  /// The one T of this process, made with the first use: for what a forked child must not inherit.
  template <typename T>
  T &own() EXCLUDES(ownedMutex_) {
    const Lock lock(ownedMutex_);
    std::shared_ptr<void> &object = owned_[typeid(T)];
    if (!object)
      object = std::make_shared<T>();
    return *static_cast<T *>(object.get());
  }

  // For the network thread alone, which is asserted.

  /// Calls at a time, once, unless it goes before. GLib looks at each of its sources at every turn, so that ten
  /// thousand timeouts would keep everything else from happening: all of these share one source.
  class Timer {
  public:
    Timer(Clock::time_point when, std::function<void()> call);
    Timer(const Timer &) = delete;
    Timer &operator=(const Timer &) = delete;
    ~Timer();

  private:
    friend class Loop;
    std::function<void()> call_; ///< empty: it has called
    std::multimap<Clock::time_point, Timer *>::iterator place_;
  };

private:
  using Timers = std::multimap<Clock::time_point, Timer *>;

  struct Source;

  Loop();
  int millisecondsToWait() EXCLUDES(mutex_);
  void runPosted() EXCLUDES(mutex_);
  void runTimers();

  GMainContext *const context_;
  std::atomic<std::thread::id> thread_;

  Mutex mutex_;
  std::vector<std::function<void()>> posted_ GUARDED_BY(mutex_);

  Workers pool_{8};
  Timers timers_;
  Mutex ownedMutex_;
  std::map<std::type_index, std::shared_ptr<void>> owned_ GUARDED_BY(ownedMutex_);
};

namespace detail {

template <typename T>
Task<void> fulfil(Task<T> task, std::promise<T> &promise) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await std::move(task);
      promise.set_value();
    } else {
      promise.set_value(co_await std::move(task));
    }
  } catch (...) {
    promise.set_exception(std::current_exception());
  }
}

} // namespace detail

template <typename T>
T Loop::wait(Task<T> task) {
  assert(!isCurrent());
  std::promise<T> promise;
  auto ended = promise.get_future();
  post([&] { detach(detail::fulfil(std::move(task), promise)); });
  return ended.get();
}

/// Awaited on the network thread: has a thread of the pool, or of other workers, call `work`, and brings its result
/// back. There is no other end to this wait, so that `work` may use what the awaiting coroutine owns.
template <typename Work>
class onPool {
public:
  using Value = std::invoke_result_t<Work>;

  explicit onPool(Work work) : onPool(Loop::instance().pool(), std::move(work)) {}
  onPool(Workers &workers, Work work) : workers_(workers), work_(std::move(work)) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) {
    assert(Loop::instance().isCurrent());
    workers_.push([this, awaiter] {
      try {
        if constexpr (std::is_void_v<Value>)
          work_();
        else
          value_.emplace(work_());
      } catch (...) {
        exception_ = std::current_exception();
      }
      Loop::instance().post([awaiter] { awaiter.resume(); });
    });
  }
  Value await_resume() {
    if (exception_)
      std::rethrow_exception(exception_);
    if constexpr (!std::is_void_v<Value>)
      return std::move(*value_);
  }

private:
  struct Nothing {};
  Workers &workers_;
  Work work_;
  std::optional<std::conditional_t<std::is_void_v<Value>, Nothing, Value>> value_;
  std::exception_ptr exception_;
};

/// Awaited on the network thread: calls `begin`, and brings back what that has somebody say on any thread, once.
template <typename Value>
class ViaCallback {
public:
  using Say = std::function<void(Value)>;

  explicit ViaCallback(std::function<void(Say)> begin) : begin_(std::move(begin)) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) {
    assert(Loop::instance().isCurrent());
    begin_([this, awaiter](Value value) {
      value_.emplace(std::move(value));
      Loop::instance().post([awaiter] { awaiter.resume(); });
    });
  }
  Value await_resume() { return std::move(*value_); }

private:
  std::function<void(Say)> begin_;
  std::optional<Value> value_;
};

/// Awaited on the network thread: lets all others that are ready go first.
struct LetOthersGo {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) const {
    assert(Loop::instance().isCurrent());
    Loop::instance().post([awaiter] { awaiter.resume(); });
  }
  void await_resume() const noexcept {}
};

} // namespace aimlvideo
