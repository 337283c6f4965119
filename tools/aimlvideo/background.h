// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

namespace aimlvideo::cli {

/// Work that other threads hand over to the main loop, for somebody who lives in its thread. Work that is handed over
/// after close(), or not begun by then, is dropped.
class Inbox : public std::enable_shared_from_this<Inbox> {
public:
  static std::shared_ptr<Inbox> create() { return std::shared_ptr<Inbox>(new Inbox); }

  /// From any thread. Returns at once; `work` is called from the main loop, in the order of the calls.
  void post(std::function<void()> work);
  /// From the main loop's thread: nothing is called any more.
  void close();

private:
  Inbox() = default;
  void empty();

  std::mutex mutex_;
  std::deque<std::function<void()>> work_;
  bool closed_ = false;
};

constexpr unsigned backgroundThreads = 4;
/// Calls `work` on one of these threads: for what waits for a disk.
void runInBackground(std::function<void()> work);

} // namespace aimlvideo::cli
