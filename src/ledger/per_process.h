// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>

#include "ledger/lock_file.h"

namespace aimlvideo {

/// One T for each process: a child that is forked begins with a new one, since its copy of the parent's may be locked
/// by a thread that the child does not have. For static objects: a T is never destroyed, so that workers which are
/// still running at exit can use it. Any thread.
template <typename T>
class PerProcess {
public:
  T &get() {
    Own *known = current_.load();
    while (!known || !known->process.isOurs()) {
      auto *own = new Own{{}, {}, known};
      if (current_.compare_exchange_strong(known, own))
        return own->value;
      delete own;
    }
    return known->value;
  }

private:
  struct Own {
    ProcessMark process;
    T value;
    Own *parents; ///< not used any more, nor destroyed
  };

  std::atomic<Own *> current_ = nullptr;
};

} // namespace aimlvideo
