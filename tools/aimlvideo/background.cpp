// SPDX-License-Identifier: LGPL-2.1-or-later
#include "background.h"

#include <utility>

#include <glib.h>

namespace aimlvideo::cli {

void Inbox::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_)
      return;
    work_.push_back(std::move(work));
    if (work_.size() > 1)
      return; // the main loop knows already
  }
  g_idle_add_full(
      G_PRIORITY_DEFAULT,
      [](gpointer inbox) -> gboolean {
        (*static_cast<std::shared_ptr<Inbox> *>(inbox))->empty();
        return G_SOURCE_REMOVE;
      },
      new std::shared_ptr(shared_from_this()),
      [](gpointer inbox) { delete static_cast<std::shared_ptr<Inbox> *>(inbox); });
}

void Inbox::empty() {
  std::deque<std::function<void()>> work;
  {
    const std::lock_guard lock(mutex_);
    work.swap(work_);
  }
  for (const auto &next : work)
    if (!closed_) // changed in this thread only, perhaps by the one before
      next();
}

void Inbox::close() {
  std::deque<std::function<void()>> dropped;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(work_);
}

void runInBackground(std::function<void()> work) {
  static GThreadPool *const pool = g_thread_pool_new(
      [](gpointer data, gpointer) {
        const std::unique_ptr<std::function<void()>> next(static_cast<std::function<void()> *>(data));
        (*next)();
      },
      nullptr, backgroundThreads, FALSE, nullptr);
  g_thread_pool_push(pool, new std::function<void()>(std::move(work)), nullptr);
}

} // namespace aimlvideo::cli
