// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <functional>

#include "base/mutex.h"

namespace aimlvideo {

/// Threads for what may take its time, or never end: disks, SQLite, the user's code. At most so many at a time, made
/// when they are needed and gone when there has been nothing to do for a while. A forked child, which misses them, has
/// to have Workers of its own. They are never destroyed.
class Workers {
public:
  explicit Workers(unsigned most) : most_(most) {}
  Workers(const Workers &) = delete;
  Workers &operator=(const Workers &) = delete;

  /// From any thread. The work is done in the order of the calls, as soon as a thread is free. Throws
  /// std::system_error, and does nothing, where the system gives no thread at all.
  void push(std::function<void()> work) EXCLUDES(mutex_);

private:
  void run() EXCLUDES(mutex_);

  const unsigned most_;
  Mutex mutex_;
  Condition pushed_;
  unsigned running_ GUARDED_BY(mutex_) = 0; ///< threads, those included that wait
  unsigned idle_ GUARDED_BY(mutex_) = 0;
  std::deque<std::function<void()>> waiting_ GUARDED_BY(mutex_);
};

} // namespace aimlvideo
