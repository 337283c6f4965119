// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/workers.h"

#include <chrono>
#include <system_error>
#include <thread>

namespace aimlvideo {

namespace {

/// How long a thread waits for something to do: making one costs as much as what most of them do.
constexpr std::chrono::milliseconds linger{500};

} // namespace

void Workers::push(std::function<void()> work) {
  const Lock lock(mutex_);
  waiting_.push_back(std::move(work));
  if (waiting_.size() <= idle_)
    return pushed_.notifyOne();
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
  Lock lock(mutex_);
  for (;;) {
    if (waiting_.empty()) {
      ++idle_;
      const auto latest = std::chrono::steady_clock::now() + linger;
      while (waiting_.empty() && pushed_.waitUntil(lock, latest))
        continue;
      --idle_;
      if (waiting_.empty())
        break;
    }
    auto work = std::move(waiting_.front());
    waiting_.pop_front();
    const Unlocked callingOut(mutex_);
    work();
    work = {}; // with all that it owns
  }
  --running_;
}

} // namespace aimlvideo
