// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/status.h>

#include <set>

#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

Status foreseen(double done, std::optional<std::chrono::milliseconds> left) {
  Status status;
  status.state = State::Generating;
  status.outlook = {left, done, !left};
  status.hasOutlook = true;
  return status;
}

} // namespace

GST_START_TEST(every_state_has_a_name_of_its_own) {
  std::set<std::string> names;
  for (int state = static_cast<int>(State::Idle); state <= static_cast<int>(State::Cancelled); ++state)
    names.insert(nameOf(static_cast<State>(state)));
  fail_unless_equals_int(names.size(), 10);
  fail_unless_equals_text(nameOf(State::QueuedLocally), "queued-locally");
  fail_unless_equals_text(nameOf(State::LookingUp), "looking-up");
  fail_unless_equals_text(nameOf(State::Cancelled), "cancelled");
}
GST_END_TEST

GST_START_TEST(before_the_start_no_time_has_passed) {
  Status status;
  fail_unless(status.elapsed() == 0ms);
  fail_if(status.percent().has_value());
  fail_if(status.remaining().has_value());
}
GST_END_TEST

GST_START_TEST(what_another_run_bought_costs_this_one_nothing) {
  Status status;
  status.usage = {4e6, 2.0};
  for (const Origin origin : {Origin::None, Origin::Resumed, Origin::Joined, Origin::Replayed}) {
    status.origin = origin;
    fail_unless(status.billed().usd == 0.0 && status.billed().credits == 0.0, "%s", nameOf(origin));
  }
  for (const Origin origin : {Origin::Bought, Origin::LookedUp}) {
    status.origin = origin;
    fail_unless(status.billed().usd == 2.0 && status.billed().credits == 4e6, "%s", nameOf(origin));
  }
  status.usage = {};
  fail_if(status.billed().usd.has_value() || status.billed().credits.has_value());
}
GST_END_TEST

GST_START_TEST(progress_follows_the_outlook) {
  fail_unless_equals_int(foreseen(0.5, 100s).percent().value(), 47);
  fail_unless_equals_int(foreseen(0, 100s).percent().value(), 0);
  fail_unless(foreseen(0.5, 100s).remaining() == 100s);
}
GST_END_TEST

GST_START_TEST(a_generation_that_takes_longer_than_usual_does_not_reach_its_end) {
  const Status late = foreseen(1, {});
  fail_unless_equals_int(late.percent().value(), 95);
  fail_if(late.remaining().has_value());
}
GST_END_TEST

GST_START_TEST(without_an_outlook_nothing_is_made_up) {
  Status status;
  status.state = State::Generating;
  fail_if(status.percent().has_value());
  fail_if(status.remaining().has_value());
}
GST_END_TEST

GST_START_TEST(the_outlook_is_of_the_wait_alone) {
  for (const State state : {State::QueuedLocally, State::LookingUp, State::Downloading, State::Completed}) {
    Status status = foreseen(0.5, 100s);
    status.state = state;
    fail_if(status.remaining().has_value());
  }
}
GST_END_TEST

GST_START_TEST(no_percentage_is_below_one_that_was_told) {
  Status status = foreseen(0.1, 100s);
  status.leastPercent = 60;
  fail_unless_equals_int(status.percent().value(), 60);
  status.hasOutlook = false;
  fail_unless_equals_int(status.percent().value(), 60);
  status.state = State::Downloading;
  status.leastPercent = 98;
  fail_unless_equals_int(status.percent().value(), 98);
}
GST_END_TEST

GST_START_TEST(a_download_counts_its_bytes) {
  Status status;
  status.state = State::Downloading;
  fail_unless_equals_int(status.percent().value(), 95);
  status.bytesTotal = 1000;
  status.bytesReceived = 500;
  fail_unless_equals_int(status.percent().value(), 97);
  status.bytesTotal = 0;
  fail_unless_equals_int(status.percent().value(), 95);
}
GST_END_TEST

GST_START_TEST(a_hundred_percent_is_said_of_a_completed_generation_only) {
  Status status;
  status.state = State::Downloading;
  status.bytesTotal = 1000;
  for (const uint64_t received : {1000ULL, 1001ULL, 3000ULL, ~0ULL}) {
    status.bytesReceived = received;
    fail_unless_equals_int(status.percent().value(), 99);
  }
  status.state = State::Completed;
  fail_unless_equals_int(status.percent().value(), 100);
}
GST_END_TEST

static Suite *status_suite() {
  Suite *suite = suite_create("status");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, every_state_has_a_name_of_its_own);
  tcase_add_test(tests, before_the_start_no_time_has_passed);
  tcase_add_test(tests, what_another_run_bought_costs_this_one_nothing);
  tcase_add_test(tests, progress_follows_the_outlook);
  tcase_add_test(tests, a_generation_that_takes_longer_than_usual_does_not_reach_its_end);
  tcase_add_test(tests, without_an_outlook_nothing_is_made_up);
  tcase_add_test(tests, the_outlook_is_of_the_wait_alone);
  tcase_add_test(tests, no_percentage_is_below_one_that_was_told);
  tcase_add_test(tests, a_download_counts_its_bytes);
  tcase_add_test(tests, a_hundred_percent_is_said_of_a_completed_generation_only);
  return suite;
}

GST_CHECK_MAIN(status)
