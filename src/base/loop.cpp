// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/loop.h"

#include <algorithm>

#include <pthread.h>

namespace aimlvideo {

namespace {

/// Threads that wait for disks and decoders. They are few since each may use a processor.
constexpr int poolSize = 8;

using Work = std::function<void()>;

std::atomic<Loop *> current = nullptr;
std::mutex startMutex;

/// A source that calls `dispatch` at its ready time.
struct CallingSource {
  GSource source;
  Loop *loop;
  void (Loop::*dispatch)();
};

} // namespace

Loop &Loop::instance() {
  if (Loop *loop = current)
    return *loop;
  const std::lock_guard lock(startMutex);
  if (!current) {
    static std::once_flag once;
    std::call_once(once, [] {
      pthread_atfork([] { startMutex.lock(); }, [] { startMutex.unlock(); },
                     [] {
                       current = nullptr; // its thread is the parent's
                       startMutex.unlock();
                     });
    });
    current = new Loop; // is at work until the process has gone
  }
  return *current;
}

GSource *Loop::addSource(void (Loop::*dispatch)()) {
  static GSourceFuncs functions{nullptr,
                                nullptr,
                                [](GSource *source, GSourceFunc, gpointer) -> gboolean {
                                  g_source_set_ready_time(source, -1);
                                  const auto *calling = reinterpret_cast<CallingSource *>(source);
                                  (calling->loop->*calling->dispatch)();
                                  return G_SOURCE_CONTINUE;
                                },
                                nullptr,
                                nullptr,
                                nullptr};
  GSource *source = g_source_new(&functions, sizeof(CallingSource));
  auto *calling = reinterpret_cast<CallingSource *>(source);
  calling->loop = this;
  calling->dispatch = dispatch;
  g_source_attach(source, context_);
  return source;
}

Loop::Loop()
    : context_(g_main_context_new()),
      posts_(addSource(&Loop::runPosted)),
      clock_(addSource(&Loop::runTimers)),
      // with threads of its own: those that GLib's other pools share stay behind in a fork
      pool_(g_thread_pool_new(
          [](gpointer work, gpointer) {
            const std::unique_ptr<Work> owned(static_cast<Work *>(work));
            (*owned)();
          },
          nullptr, poolSize, TRUE, nullptr)) {
  std::thread thread([this] {
    thread_ = std::this_thread::get_id();
    g_main_context_push_thread_default(context_);
    for (;;)
      g_main_context_iteration(context_, TRUE);
  });
  thread.detach();
}

void Loop::post(Work work) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(work));
  if (posted_.size() == 1)
    g_source_set_ready_time(posts_, 0);
}

void Loop::runPosted() {
  std::vector<Work> posted;
  {
    const std::lock_guard lock(mutex_);
    posted.swap(posted_);
  }
  for (Work &work : posted)
    std::exchange(work, {})();
}

void Loop::postToPool(Work work) {
  g_thread_pool_push(pool_, new Work(std::move(work)), nullptr);
}

void Loop::armTimers() {
  using std::chrono::ceil;
  using std::chrono::microseconds;
  // GLib's clock is the steady one, in microseconds
  gint64 next = -1;
  if (!timers_.empty())
    next = std::max<gint64>(0, ceil<microseconds>(timers_.begin()->first.time_since_epoch()).count());
  g_source_set_ready_time(clock_, next);
}

void Loop::runTimers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Timer &timer = *timers_.begin()->second;
    timers_.erase(timers_.begin());
    std::exchange(timer.call_, {})(); // which may end the timer
  }
  armTimers();
}

Loop::Timer::Timer(Clock::time_point when, Work call) : call_(std::move(call)) {
  Loop &loop = Loop::instance();
  place_ = loop.timers_.emplace(when, this);
  if (place_ == loop.timers_.begin())
    loop.armTimers();
}

Loop::Timer::~Timer() {
  if (call_)
    Loop::instance().timers_.erase(place_);
}

} // namespace aimlvideo
