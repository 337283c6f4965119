// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/cancellation.h"

#include <cassert>

namespace aimlvideo {

void Cancellation::cancel() {
  if (shared_->cancelled.exchange(true))
    return;
  Loop::instance().post([shared = shared_] {
    while (!shared->listeners.empty()) {
      Listener &listener = *shared->listeners.front();
      shared->listeners.pop_front();
      std::exchange(listener.call_, {})(); // which may end the listener, and others
    }
  });
}

Cancellation::Listener::Listener(Cancellation &owner, std::function<void()> call) : owner_(owner) {
  assert(Loop::instance().isCurrent());
  if (owner.cancelled())
    return;
  call_ = std::move(call);
  place_ = owner.shared_->listeners.insert(owner.shared_->listeners.end(), this);
}

Cancellation::Listener::~Listener() {
  assert(Loop::instance().isCurrent());
  if (call_)
    owner_.shared_->listeners.erase(place_);
}

Cancellation::Attempt::Attempt(Cancellation &owner, Clock::time_point deadline)
    : owner_(owner),
      deadline_(deadline),
      cancellable_(adopt(g_cancellable_new())),
      listener_(owner, [this] { g_cancellable_cancel(cancellable_.get()); }),
      timer_(deadline, [this] { g_cancellable_cancel(cancellable_.get()); }) {}

GCancellable *Cancellation::Attempt::cancellable() const {
  if (owner_.cancelled() || deadline_ <= Clock::now())
    g_cancellable_cancel(cancellable_.get());
  return cancellable_.get();
}

Task<bool> Cancellation::sleepUntil(Clock::time_point when) {
  Waiter waiter(*this);
  co_return co_await waiter.until(when);
}

void Waiter::Shared::wake() {
  assert(Loop::instance().isCurrent());
  woken = true;
  if (const auto coroutine = std::exchange(waiting, {}))
    coroutine.resume();
}

std::function<void()> Waiter::waker() const {
  return [weak = std::weak_ptr(shared_)] {
    Loop::instance().post([weak] {
      if (const auto alive = weak.lock())
        alive->wake();
    });
  };
}

Task<bool> Waiter::until(Clock::time_point when) {
  struct Suspension {
    Shared &shared;
    bool await_ready() const { return shared.woken; }
    void await_suspend(std::coroutine_handle<> awaiter) { shared.waiting = awaiter; }
    void await_resume() { shared.woken = false; }
  };
  assert(Loop::instance().isCurrent());
  if (cancellation_.cancelled())
    co_return false;
  if (when > Clock::now() || shared_->woken) {
    const Cancellation::Listener listener(cancellation_, [this] { wake(); });
    const Loop::Timer timer(when, [this] { wake(); });
    // what was cancelled before the listener was there does not call it
    if (!cancellation_.cancelled())
      co_await Suspension{*shared_};
  }
  co_return !cancellation_.cancelled();
}

} // namespace aimlvideo
