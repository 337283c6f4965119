// SPDX-License-Identifier: LGPL-2.1-or-later
#include "background.h"

#include <csignal>
#include <deque>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <glib-unix.h>

#include "base/mutex.h"

namespace aimlvideo::cli {

/// What all inboxes have. It is one source of the main loop, which walks all that it has at each turn.
class Mail {
public:
  static Mail &instance() {
    static auto *const mail = new Mail; // threads may hand over something while the process ends
    return *mail;
  }

  void add(std::shared_ptr<Inbox> inbox, std::function<void()> work) EXCLUDES(mutex_) {
    {
      const Lock lock(mutex_);
      work_.emplace_back(std::move(inbox), std::move(work));
    }
    g_source_set_ready_time(source_, 0);
  }

private:
  Mail() {
    static GSourceFuncs functions{nullptr,
                                  nullptr,
                                  [](GSource *source, GSourceFunc, gpointer) -> gboolean {
                                    g_source_set_ready_time(source, -1);
                                    instance().deliver();
                                    return G_SOURCE_CONTINUE;
                                  },
                                  nullptr,
                                  nullptr,
                                  nullptr};
    source_ = g_source_new(&functions, sizeof(GSource));
    g_source_attach(source_, nullptr);
  }

  void deliver() EXCLUDES(mutex_) {
    std::deque<std::pair<std::shared_ptr<Inbox>, std::function<void()>>> work;
    {
      const Lock lock(mutex_);
      work.swap(work_);
    }
    for (; !work.empty(); work.pop_front())
      if (const auto &[inbox, call] = work.front(); !inbox->closed_)
        call();
  }

  GSource *source_ = nullptr;
  Mutex mutex_;
  std::deque<std::pair<std::shared_ptr<Inbox>, std::function<void()>>> work_ GUARDED_BY(mutex_);
};

void Inbox::post(std::function<void()> work) {
  Mail::instance().add(shared_from_this(), std::move(work));
}

namespace {

class Pool {
public:
  static Pool &instance() {
    static auto *const pool = new Pool; // its threads are at work until the process ends
    return *pool;
  }

  void add(std::function<void()> work) EXCLUDES(mutex_) {
    Lock lock(mutex_);
    work_.push_back(std::move(work));
    if (work_.size() > idle_ && threads_ < backgroundThreads) {
      try {
        std::thread([this] { run(); }).detach();
        ++threads_;
      } catch (const std::system_error &) {
        if (threads_ == 0) { // the system gives none
          const auto now = std::move(work_.front());
          work_.pop_front();
          lock.unlock();
          return now();
        }
      }
    }
    changed_.notifyOne();
  }

private:
  void run() EXCLUDES(mutex_) {
    for (Lock lock(mutex_);;) {
      ++idle_;
      while (work_.empty())
        changed_.wait(lock);
      --idle_;
      auto next = std::move(work_.front());
      work_.pop_front();
      const Unlocked callingOut(mutex_);
      next();
      next = {}; // with all that it owns
    }
  }

  Mutex mutex_;
  Condition changed_;
  std::deque<std::function<void()>> work_ GUARDED_BY(mutex_);
  unsigned threads_ GUARDED_BY(mutex_) = 0;
  unsigned idle_ GUARDED_BY(mutex_) = 0; ///< of them
};

} // namespace

void runInBackground(std::function<void()> work) {
  Pool::instance().add(std::move(work));
}

void runLoop(GMainLoop *loop, std::function<void()> interrupted) {
  std::vector<guint> watches;
  struct Signals {
    std::vector<guint> &watches;
    std::function<void()> interrupted;
  } caught{watches, std::move(interrupted)};
  for (const int number : {SIGINT, SIGTERM})
    watches.push_back(g_unix_signal_add(
        number,
        [](gpointer data) -> gboolean {
          auto *signals = static_cast<Signals *>(data);
          for (const guint watch : std::exchange(signals->watches, {}))
            g_source_remove(watch); // the next one does what it does by default
          signals->interrupted();
          return G_SOURCE_REMOVE;
        },
        &caught));
  g_main_loop_run(loop);
  for (const guint watch : watches)
    g_source_remove(watch);
}

} // namespace aimlvideo::cli
