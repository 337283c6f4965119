// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace aimlvideo {

template <typename T>
class Task;

namespace detail {

/// Out of sight of clang, which would otherwise keep the frames of all tasks that one may ever await inside of its own:
/// a generation that waits would hold some 40 KiB.
[[gnu::noinline]] inline void destroyFrame(std::coroutine_handle<> coroutine) {
  coroutine.destroy();
}

/// What all promises share: who waits for the end.
class TaskPromise {
public:
  std::suspend_always initial_suspend() noexcept { return {}; }

  struct AtEnd {
    bool await_ready() noexcept { return false; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      const TaskPromise &promise = ended.promise();
      if (!promise.beginning_)     // else the awaiter sees by itself that it need not wait
        promise.awaiter_.resume(); // which may destroy what has ended
    }
    void await_resume() noexcept {}
  };
  AtEnd final_suspend() noexcept { return {}; }
  void unhandled_exception() { exception_ = std::current_exception(); }

  /// Runs until the first wait. True: there was one, and `awaiter` is resumed at the end.
  template <typename Promise>
  bool begin(std::coroutine_handle<Promise> self, std::coroutine_handle<> awaiter) {
    awaiter_ = awaiter;
    beginning_ = true;
    self.resume();
    beginning_ = false;
    return !self.done();
  }

protected:
  void rethrow() const {
    if (exception_)
      std::rethrow_exception(exception_);
  }

private:
  std::coroutine_handle<> awaiter_;
  std::exception_ptr exception_;
  bool beginning_ = false;
};

template <typename T>
class TaskPromiseOf : public TaskPromise {
public:
  Task<T> get_return_object();
  void return_value(T value) { value_.emplace(std::move(value)); }
  T take() {
    rethrow();
    return std::move(*value_);
  }

private:
  std::optional<T> value_;
};

template <>
class TaskPromiseOf<void> : public TaskPromise {
public:
  Task<void> get_return_object();
  void return_void() {}
  void take() const { rethrow(); }
};

} // namespace detail

/// A function that waits without a thread: a coroutine on the network thread, see Loop. It begins when it is awaited,
/// and whoever awaits it goes on when it has ended, with its result or its exception.
///
/// Arguments by reference have to live until then, so a temporary may be passed only where the call is awaited at once.
template <typename T = void>
class [[nodiscard]] Task {
public:
  using promise_type = detail::TaskPromiseOf<T>;

  explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  Task(Task &&other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
  Task &operator=(Task &&) = delete;
  ~Task() {
    if (coroutine_)
      detail::destroyFrame(coroutine_);
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      bool await_ready() noexcept { return false; }
      bool await_suspend(std::coroutine_handle<> awaiter) { return coroutine.promise().begin(coroutine, awaiter); }
      T await_resume() { return coroutine.promise().take(); }
      std::coroutine_handle<promise_type> coroutine;
    };
    return Awaiter{coroutine_};
  }

private:
  std::coroutine_handle<promise_type> coroutine_;
};

namespace detail {

template <typename T>
Task<T> TaskPromiseOf<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<TaskPromiseOf>::from_promise(*this));
}

inline Task<void> TaskPromiseOf<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TaskPromiseOf>::from_promise(*this));
}

/// A coroutine that nobody waits for.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

} // namespace detail

/// Runs a task that nobody awaits: it goes when it has ended, and must not throw.
inline detail::Detached detach(Task<void> task) {
  co_await std::move(task);
}

} // namespace aimlvideo
