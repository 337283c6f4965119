// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/loop.h"

namespace aimlvideo::test {

/// Blocks until a task has ended on the network thread.
template <typename T>
T await(Task<T> task) {
  return Loop::instance().wait(std::move(task));
}

} // namespace aimlvideo::test
