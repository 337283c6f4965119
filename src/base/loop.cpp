// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/loop.h"

#include <algorithm>
#include <cassert>

#include <gio/gio.h>
#include <pthread.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

namespace {

using Work = std::function<void()>;

std::atomic<Loop *> current = nullptr;
Mutex startMutex;
bool forked GUARDED_BY(startMutex) = false; ///< this process comes from one that used it

/// GLib looks up names and proxies and shakes hands by threads that its pools share. They stay behind in a fork, and it
/// goes on counting on them: each takes a piece of work that nobody does. So all get one that does not matter.
///
/// Newer versions have those threads made by one that stays behind as well, which can't be helped.
void replaceThreadsLeftBehind() {
  if (!glib_check_version(2, 76, 0))
    return;
  // not freed: that would wait for those threads
  GThreadPool *idle = g_thread_pool_new([](gpointer, gpointer) {}, nullptr, -1, FALSE, nullptr);
  for (guint left = g_thread_pool_get_num_unused_threads(); left > 0; --left)
    g_thread_pool_push(idle, idle, nullptr);
  // and those of GTask that were idle for less than a second, of ten at most, until one is new
  for (unsigned left = 10; left > 0; --left) {
    auto *promise = new std::promise<void>;
    const auto begun = promise->get_future();
    const auto task = adopt(g_task_new(nullptr, nullptr, nullptr, nullptr));
    g_task_set_task_data(task.get(), promise, [](gpointer data) { delete static_cast<std::promise<void> *>(data); });
    g_task_run_in_thread(task.get(), [](GTask *, gpointer, gpointer data, GCancellable *) {
      static_cast<std::promise<void> *>(data)->set_value();
    });
    if (begun.wait_for(std::chrono::milliseconds(20)) == std::future_status::ready)
      return;
  }
}

} // namespace

Loop &Loop::instance() {
  if (Loop *loop = current)
    return *loop;
  const Lock lock(startMutex);
  if (!current) {
    static std::once_flag once;
    std::call_once(once, [] {
      pthread_atfork([]() ACQUIRE(startMutex) { startMutex.lock(); }, []() RELEASE(startMutex) { startMutex.unlock(); },
                     []() RELEASE(startMutex) {
                       forked = forked || current;
                       current = nullptr; // its thread is the parent's
                       startMutex.unlock();
                     });
    });
    current = new Loop; // is at work until the process has gone
  }
  return *current;
}

/// All that is posted and all timers. GLib asks it before each wait: the network thread need not be woken by itself.
struct Loop::Source {
  GSource source;
  Loop *loop;

  static Loop &of(GSource *source) { return *reinterpret_cast<Source *>(source)->loop; }
};

Loop::Loop() : context_(g_main_context_new()) {
  static GSourceFuncs functions{
      [](GSource *source, gint *timeout) -> gboolean {
        *timeout = Source::of(source).millisecondsToWait();
        return *timeout == 0;
      },
      [](GSource *source) -> gboolean { return Source::of(source).millisecondsToWait() == 0; },
      [](GSource *source, GSourceFunc, gpointer) -> gboolean {
        Source::of(source).runPosted();
        Source::of(source).runTimers();
        return G_SOURCE_CONTINUE;
      },
      nullptr,
      nullptr,
      nullptr};
  GSource *source = g_source_new(&functions, sizeof(Source));
  reinterpret_cast<Source *>(source)->loop = this;
  g_source_attach(source, context_);
  std::thread thread([this, fresh = !forked] {
    thread_ = std::this_thread::get_id();
    g_main_context_push_thread_default(context_);
    if (!fresh)
      replaceThreadsLeftBehind();
    for (;;)
      g_main_context_iteration(context_, TRUE);
  });
  thread.detach();
}

void Loop::post(Work work) {
  const Lock lock(mutex_);
  posted_.push_back(std::move(work));
  if (posted_.size() == 1 && !isCurrent())
    g_main_context_wakeup(context_);
}

void Loop::runPosted() {
  std::vector<Work> posted;
  {
    const Lock lock(mutex_);
    posted.swap(posted_);
  }
  for (Work &work : posted)
    std::exchange(work, {})();
}

/// -1: nothing is to come.
int Loop::millisecondsToWait() {
  using std::chrono::ceil;
  using std::chrono::milliseconds;
  {
    const Lock lock(mutex_);
    if (!posted_.empty())
      return 0;
  }
  if (timers_.empty())
    return -1;
  const auto wait = ceil<milliseconds>(timers_.begin()->first - Clock::now());
  return static_cast<int>(std::clamp<milliseconds::rep>(wait.count(), 0, G_MAXINT));
}

void Loop::runTimers() {
  const auto now = Clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Timer &timer = *timers_.begin()->second;
    timers_.erase(timers_.begin());
    std::exchange(timer.call_, {})(); // which may end the timer
  }
}

Loop::Timer::Timer(Clock::time_point when, Work call) : call_(std::move(call)) {
  assert(Loop::instance().isCurrent());
  place_ = Loop::instance().timers_.emplace(when, this);
}

Loop::Timer::~Timer() {
  assert(Loop::instance().isCurrent());
  if (call_)
    Loop::instance().timers_.erase(place_);
}

} // namespace aimlvideo
