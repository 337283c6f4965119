// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/cancellation.h"

#include <thread>

#include "unit.h"

using namespace aimlvideo;
using namespace std::chrono_literals;

namespace {

/// Blocks until a GCancellable is cancelled; false after 20 s.
bool waitForCancel(GCancellable *cancellable) {
  GPollFD descriptor;
  if (!g_cancellable_make_pollfd(cancellable, &descriptor))
    return false;
  const int ready = g_poll(&descriptor, 1, 20'000);
  g_cancellable_release_fd(cancellable);
  return ready == 1;
}

const auto never = Clock::now() + 24h;

} // namespace

GST_START_TEST(a_sleep_ends_at_its_time) {
  Cancellation cancellation;
  const auto when = Clock::now() + 5ms;
  fail_unless(cancellation.sleepUntil(when));
  fail_unless(Clock::now() >= when);
  fail_unless(cancellation.sleepUntil(Clock::now() - 1s));
}
GST_END_TEST

GST_START_TEST(a_cancel_ends_a_sleep_in_another_thread) {
  Cancellation cancellation;
  std::thread other([&] { cancellation.cancel(); });
  fail_if(cancellation.sleepUntil(never));
  other.join();
}
GST_END_TEST

GST_START_TEST(a_cancel_is_remembered) {
  Cancellation cancellation;
  fail_if(cancellation.cancelled());
  cancellation.cancel();
  cancellation.cancel();
  fail_unless(cancellation.cancelled());
  fail_if(cancellation.sleepUntil(never));
  fail_if(cancellation.sleepUntil(Clock::now() - 1s));
}
GST_END_TEST

GST_START_TEST(a_cancel_reaches_every_attempt_under_way) {
  Cancellation cancellation;
  Cancellation::Attempt one(cancellation, never);
  Cancellation::Attempt two(cancellation, never);
  std::thread other([&] { cancellation.cancel(); });
  fail_unless(waitForCancel(one.cancellable()));
  fail_unless(waitForCancel(two.cancellable()));
  other.join();
}
GST_END_TEST

GST_START_TEST(an_attempt_that_begins_too_late_is_cancelled_at_once) {
  Cancellation cancellation;
  cancellation.cancel();
  const Cancellation::Attempt attempt(cancellation, never);
  fail_unless(g_cancellable_is_cancelled(attempt.cancellable()));
}
GST_END_TEST

GST_START_TEST(an_attempt_is_cancelled_at_its_deadline_and_no_other_is) {
  Cancellation cancellation;
  const auto deadline = Clock::now() + 10ms;
  const Cancellation::Attempt later(cancellation, never);
  const Cancellation::Attempt soon(cancellation, deadline);
  fail_unless(waitForCancel(soon.cancellable()));
  fail_unless(Clock::now() >= deadline);
  fail_if(g_cancellable_is_cancelled(later.cancellable()));
  fail_if(cancellation.cancelled());
}
GST_END_TEST

GST_START_TEST(a_deadline_that_has_passed_cancels_at_once) {
  Cancellation cancellation;
  const Cancellation::Attempt attempt(cancellation, Clock::now() - 1s);
  fail_unless(waitForCancel(attempt.cancellable()));
}
GST_END_TEST

GST_START_TEST(an_attempt_that_has_ended_is_left_alone) {
  Cancellation cancellation;
  GRefPtr<GCancellable> kept;
  const auto deadline = Clock::now() + 20ms;
  {
    const Cancellation::Attempt ended(cancellation, deadline);
    kept = share(ended.cancellable());
  }
  // the watchdog slept for the first one and has to find the second: a memory checker sees what it looks at
  const Cancellation::Attempt next(cancellation, deadline + 10ms);
  fail_unless(waitForCancel(next.cancellable()));
  cancellation.cancel();
  fail_if(g_cancellable_is_cancelled(kept.get()));
}
GST_END_TEST

GST_START_TEST(many_attempts_may_come_and_go_in_many_threads) {
  Cancellation cancellation;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (unsigned round = 0; round < 500; ++round)
        const Cancellation::Attempt attempt(cancellation, Clock::now() + std::chrono::microseconds(round % 7 * 100));
    });
  for (std::thread &thread : threads)
    thread.join();
  const Cancellation::Attempt last(cancellation, Clock::now());
  fail_unless(waitForCancel(last.cancellable()));
}
GST_END_TEST

static Suite *cancellation_suite() {
  Suite *suite = suite_create("cancellation");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_sleep_ends_at_its_time);
  tcase_add_test(tests, a_cancel_ends_a_sleep_in_another_thread);
  tcase_add_test(tests, a_cancel_is_remembered);
  tcase_add_test(tests, a_cancel_reaches_every_attempt_under_way);
  tcase_add_test(tests, an_attempt_that_begins_too_late_is_cancelled_at_once);
  tcase_add_test(tests, an_attempt_is_cancelled_at_its_deadline_and_no_other_is);
  tcase_add_test(tests, a_deadline_that_has_passed_cancels_at_once);
  tcase_add_test(tests, an_attempt_that_has_ended_is_left_alone);
  tcase_add_test(tests, many_attempts_may_come_and_go_in_many_threads);
  return suite;
}

GST_CHECK_MAIN(cancellation)
