// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>

#include <glib.h>

namespace aimlvideo::cli {

/// Work that other threads hand over to the main loop, for somebody who lives in its thread.
class Inbox : public std::enable_shared_from_this<Inbox> {
public:
  static std::shared_ptr<Inbox> create() { return std::shared_ptr<Inbox>(new Inbox); }

  /// From any thread. Returns at once; `work` is called from the main loop, in the order of the calls.
  void post(std::function<void()> work);
  /// From the main loop's thread: nothing is called any more, and what is not begun is dropped when its turn comes.
  void close() { closed_ = true; }

private:
  friend class Mail;
  Inbox() = default;

  bool closed_ = false; ///< for the main loop's thread
};

constexpr unsigned backgroundThreads = 4;
/// Calls `work` on one of these threads: for what waits for a disk. From any thread; returns at once.
void runInBackground(std::function<void()> work);

/// The main loop of a command, until somebody leaves it. SIGINT and SIGTERM call `interrupted` once; the second one
/// ends the process.
void runLoop(GMainLoop *loop, std::function<void()> interrupted);

} // namespace aimlvideo::cli
