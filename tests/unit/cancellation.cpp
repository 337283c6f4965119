// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/cancellation.h"

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "await.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

const auto never = Clock::now() + 24h;

bool sleeps(Cancellation &cancellation, Clock::time_point when) {
  return await(cancellation.sleepUntil(when));
}

/// Waits until `attempt` is cancelled, 20 s at most.
Task<bool> ends(GCancellable *attempt) {
  Cancellation patience;
  const auto latest = Clock::now() + 20s;
  while (!g_cancellable_is_cancelled(attempt) && Clock::now() < latest)
    (void)co_await patience.sleepUntil(Clock::now() + 1ms);
  co_return g_cancellable_is_cancelled(attempt);
}

Task<void> work(const std::function<void()> &what) {
  what();
  co_return;
}

} // namespace

GST_START_TEST(a_sleep_ends_at_its_time) {
  Cancellation cancellation;
  const auto when = Clock::now() + 5ms;
  fail_unless(sleeps(cancellation, when));
  fail_unless(Clock::now() >= when);
  fail_unless(sleeps(cancellation, Clock::now() - 1s));
}
GST_END_TEST

GST_START_TEST(a_cancel_ends_a_sleep) {
  Cancellation cancellation;
  std::thread other([&] { cancellation.cancel(); });
  fail_if(sleeps(cancellation, never));
  other.join();
}
GST_END_TEST

GST_START_TEST(a_cancel_is_remembered) {
  Cancellation cancellation;
  fail_if(cancellation.cancelled());
  cancellation.cancel();
  cancellation.cancel();
  fail_unless(cancellation.cancelled());
  fail_if(sleeps(cancellation, never));
  fail_if(sleeps(cancellation, Clock::now() - 1s));
}
GST_END_TEST

GST_START_TEST(a_cancel_reaches_every_attempt_under_way) {
  Cancellation cancellation;
  std::optional<Cancellation::Attempt> one;
  std::optional<Cancellation::Attempt> two;
  await(work([&] {
    one.emplace(cancellation, never);
    two.emplace(cancellation, never);
  }));
  std::thread other([&] { cancellation.cancel(); });
  fail_unless(await(ends(one->cancellable())));
  fail_unless(await(ends(two->cancellable())));
  other.join();
  await(work([&] {
    one.reset();
    two.reset();
  }));
}
GST_END_TEST

GST_START_TEST(an_attempt_that_begins_too_late_is_cancelled_at_once) {
  Cancellation cancellation;
  cancellation.cancel();
  await(work([&] {
    const Cancellation::Attempt attempt(cancellation, never);
    fail_unless(g_cancellable_is_cancelled(attempt.cancellable()));
  }));
}
GST_END_TEST

GST_START_TEST(an_attempt_is_cancelled_at_its_deadline_and_no_other_is) {
  Cancellation cancellation;
  const auto deadline = Clock::now() + 10ms;
  std::optional<Cancellation::Attempt> later;
  std::optional<Cancellation::Attempt> soon;
  await(work([&] {
    later.emplace(cancellation, never);
    soon.emplace(cancellation, deadline);
  }));
  fail_unless(await(ends(soon->cancellable())));
  fail_unless(Clock::now() >= deadline);
  fail_if(g_cancellable_is_cancelled(later->cancellable()));
  fail_if(cancellation.cancelled());
  await(work([&] {
    later.reset();
    soon.reset();
  }));
}
GST_END_TEST

GST_START_TEST(a_deadline_that_has_passed_cancels_at_once) {
  Cancellation cancellation;
  await(work([&] {
    const Cancellation::Attempt attempt(cancellation, Clock::now() - 1s);
    fail_unless(g_cancellable_is_cancelled(attempt.cancellable()));
  }));
}
GST_END_TEST

GST_START_TEST(an_attempt_that_has_ended_is_left_alone) {
  Cancellation cancellation;
  GRefPtr<GCancellable> kept;
  const auto deadline = Clock::now() + 20ms;
  std::optional<Cancellation::Attempt> next;
  await(work([&] {
    const Cancellation::Attempt ended(cancellation, deadline);
    kept = share(ended.cancellable());
    next.emplace(cancellation, deadline + 10ms);
  }));
  fail_unless(await(ends(next->cancellable())));
  cancellation.cancel();
  fail_if(sleeps(cancellation, never));
  fail_if(g_cancellable_is_cancelled(kept.get()));
  await(work([&] { next.reset(); }));
}
GST_END_TEST

GST_START_TEST(a_waiter_is_woken_from_any_thread_also_when_it_has_gone) {
  Cancellation cancellation;
  std::function<void()> waker;
  const auto waits = [&]() -> Task<bool> {
    Waiter waiter(cancellation);
    waker = waiter.waker();
    std::thread other(waker);
    const bool woken = co_await waiter.until(never);
    other.join();
    co_return woken;
  };
  fail_unless(await(waits()));
  waker();
  fail_unless(sleeps(cancellation, Clock::now() + 1ms));
}
GST_END_TEST

GST_START_TEST(a_waiter_that_was_woken_before_does_not_wait) {
  Cancellation cancellation;
  const auto waits = [&]() -> Task<bool> {
    Waiter waiter(cancellation);
    waiter.wake();
    waiter.wake();
    const bool first = co_await waiter.until(never);
    const auto when = Clock::now() + 5ms;
    const bool second = co_await waiter.until(when); // it was woken once
    co_return first &&second &&Clock::now() >= when;
  };
  fail_unless(await(waits()));
}
GST_END_TEST

GST_START_TEST(a_stop_at_the_moment_when_a_wait_begins_is_not_lost) {
  std::vector<Cancellation> cancellations(20'000);
  std::atomic<size_t> begun = 0;
  std::thread stopper([&] {
    for (size_t i = 0; i < cancellations.size(); ++i) {
      while (begun <= i)
        continue;
      cancellations[i].cancel();
    }
  });
  bool inTime = true;
  for (size_t i = 0; inTime && i < cancellations.size(); ++i) {
    const auto wait = [&]() -> Task<bool> {
      const auto patience = Clock::now() + 2s;
      begun = i + 1;
      (void)co_await cancellations[i].sleepUntil(patience);
      co_return Clock::now() < patience;
    };
    inTime = await(wait());
  }
  begun = cancellations.size();
  stopper.join();
  fail_unless(inTime);
}
GST_END_TEST

static Suite *cancellation_suite() {
  Suite *suite = suite_create("cancellation");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_sleep_ends_at_its_time);
  tcase_add_test(tests, a_cancel_ends_a_sleep);
  tcase_add_test(tests, a_cancel_is_remembered);
  tcase_add_test(tests, a_cancel_reaches_every_attempt_under_way);
  tcase_add_test(tests, an_attempt_that_begins_too_late_is_cancelled_at_once);
  tcase_add_test(tests, an_attempt_is_cancelled_at_its_deadline_and_no_other_is);
  tcase_add_test(tests, a_deadline_that_has_passed_cancels_at_once);
  tcase_add_test(tests, an_attempt_that_has_ended_is_left_alone);
  tcase_add_test(tests, a_waiter_is_woken_from_any_thread_also_when_it_has_gone);
  tcase_add_test(tests, a_waiter_that_was_woken_before_does_not_wait);
  tcase_add_test(tests, a_stop_at_the_moment_when_a_wait_begins_is_not_lost);
  return suite;
}

GST_CHECK_MAIN(cancellation)
