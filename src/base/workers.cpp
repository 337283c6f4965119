// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/workers.h"

#include <system_error>
#include <thread>

namespace aimlvideo {

void Workers::push(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(work));
  if (running_ == most_)
    return;
  try {
    std::thread([this] { run(); }).detach();
    ++running_;
  } catch (const std::system_error &) {
    if (running_ > 0) // who will do it
      return;
    waiting_.pop_back();
    throw;
  }
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  while (!waiting_.empty()) {
    auto work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    work = {}; // with all that it owns
    lock.lock();
  }
  --running_;
}

} // namespace aimlvideo
