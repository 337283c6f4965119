// SPDX-License-Identifier: LGPL-2.1-or-later
// What a generation holds while it waits: with ten thousand at once every KiB counts.
#include <aimlvideo/job.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <new>

#include <malloc.h>

#include "bench.h"

namespace {

std::atomic<size_t> held = 0;     ///< bytes that C++ code has of the heap
thread_local bool counted = true; // the test's own server remembers what it was asked for

} // namespace

void *operator new(size_t size) {
  void *memory = std::malloc(size ? size : 1);
  if (!memory)
    throw std::bad_alloc();
  if (counted)
    held += malloc_usable_size(memory);
  return memory;
}

void operator delete(void *memory) noexcept {
  if (counted && memory)
    held -= malloc_usable_size(memory);
  std::free(memory);
}

void operator delete(void *memory, size_t) noexcept {
  operator delete(memory);
}

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

/// Half as much again as it takes.
constexpr size_t mostBytes = 11'000;

/// Jobs that wait for a generation that does not end.
class Crowd : public JobObserver {
public:
  Crowd() {
    bench_.settings.pollInterval = 600'000;
    bench_.settings.timeout = 600;
    bench_.service.onCreate = [number = 0](const Seen &, Answer &answer) mutable {
      counted = false;
      answer.json(201, R"({"id":"gen/)" + std::to_string(++number) + R"(:model","status":"queued"})");
    };
  }
  Crowd(const Crowd &) = delete;
  Crowd &operator=(const Crowd &) = delete;
  ~Crowd() override {
    for (std::shared_ptr<Job> &job : jobs_) {
      job->stop();
      const std::weak_ptr<Job> watched = job;
      job.reset();
      while (!watched.expired())
        std::this_thread::yield();
    }
  }

  /// Starts some more, blocks until all wait, and returns what is held then.
  size_t grow(size_t number) {
    for (; number > 0; --number) {
      bench_.settings.prompt = "number " + std::to_string(jobs_.size());
      jobs_.push_back(Job::start(bench_.settings, 0, *this, bench_.patience));
    }
    {
      std::unique_lock lock(mutex_);
      const bool all = changed_.wait_for(lock, 50s, [this] { return waiting_ == jobs_.size(); });
      fail_unless(all, "%zu of %zu wait", waiting_, jobs_.size());
    }
    await([]() -> Task<void> {
      co_await LetOthersGo{};
    }()); // who said it last had not quite begun to wait
    return held;
  }

private:
  void stateChanged(const Status &status) override {
    const std::lock_guard lock(mutex_);
    waiting_ += status.state == State::Queued;
    changed_.notify_all();
  }

  Bench bench_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t waiting_ = 0;
  std::vector<std::shared_ptr<Job>> jobs_;
};

} // namespace

GST_START_TEST(the_count_sees_what_is_held) {
  const size_t before = held;
  const auto text = std::make_unique<std::string>(100'000, ' ');
  fail_unless(held - before >= 100'000);
  fail_unless(held - before < 101'000);
}
GST_END_TEST

GST_START_TEST(a_generation_that_waits_is_small) {
  constexpr size_t number = 64;
  Crowd crowd;
  const size_t before = crowd.grow(number); // what a process holds once is held now
  const size_t each = (crowd.grow(number) - before) / number;
  fail_unless(each <= mostBytes, "%zu bytes each, at most %zu are expected", each, mostBytes);
}
GST_END_TEST

static Suite *waiting_memory_suite() {
  Suite *suite = suite_create("waiting_memory");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, the_count_sees_what_is_held);
  tcase_add_test(tests, a_generation_that_waits_is_small);
  return suite;
}

GST_CHECK_MAIN(waiting_memory)
