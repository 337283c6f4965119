// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <list>
#include <optional>

#include "base/cancellation.h"

namespace aimlvideo {

/// Lets so many through at a time, in the order in which they come: libsoup's queue is looked at whole at every turn,
/// so that a thousand requests in it take half a minute. For the network thread.
class Gate {
public:
  explicit Gate(size_t width) : free_(width) {}
  Gate(const Gate &) = delete;
  Gate &operator=(const Gate &) = delete;

  /// The right to be inside. The gate has to live as long.
  class Pass {
  public:
    explicit Pass(Gate &gate) : gate_(&gate) {}
    Pass(Pass &&other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass &operator=(Pass &&) = delete;
    ~Pass();

  private:
    Gate *gate_;
  };

  /// Waits for its turn. Empty: cancelled, or it is too late.
  Task<std::optional<Pass>> enter(Cancellation &cancellation, Clock::time_point deadline);

private:
  struct Waiting {
    Waiter &waiter;
    bool mayEnter = false;
  };

  size_t free_;
  std::list<Waiting *> waiting_;
};

} // namespace aimlvideo
