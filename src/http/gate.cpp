// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/gate.h"

#include <cassert>

namespace aimlvideo {

Task<std::optional<Gate::Pass>> Gate::enter(Cancellation &cancellation, Clock::time_point deadline) {
  assert(Loop::instance().isCurrent());
  if (cancellation.cancelled())
    co_return std::nullopt;
  if (free_ > 0) { // then nobody waits
    --free_;
    co_return Pass(*this);
  }
  Waiter waiter(cancellation);
  Waiting place{waiter};
  const auto entry = waiting_.insert(waiting_.end(), &place);
  (void)co_await waiter.until(deadline);
  if (!place.mayEnter) {
    waiting_.erase(entry);
    co_return std::nullopt;
  }
  Pass pass(*this);
  if (cancellation.cancelled())
    co_return std::nullopt; // the next one takes it
  co_return pass;
}

Gate::Pass::~Pass() {
  if (!gate_)
    return;
  assert(Loop::instance().isCurrent());
  if (gate_->waiting_.empty()) {
    ++gate_->free_;
    return;
  }
  Waiting &next = *gate_->waiting_.front();
  gate_->waiting_.pop_front();
  next.mayEnter = true;
  // not from here: who leaves has not ended yet
  Loop::instance().post(next.waiter.waker());
}

} // namespace aimlvideo
