// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/status.h"

#include <set>

#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

Status runningFor(std::chrono::seconds elapsed, std::optional<std::chrono::seconds> typical) {
  Status status;
  status.state = State::Generating;
  status.started = Clock::now() - elapsed;
  status.typicalTime = typical;
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

GST_START_TEST(progress_follows_the_documented_time) {
  fail_unless_equals_int(runningFor(50s, 100s).percent().value(), 47);
  fail_unless_equals_int(runningFor(0s, 100s).percent().value(), 0);
  const auto remaining = runningFor(40s, 100s).remaining();
  fail_unless(remaining && *remaining <= 60s && *remaining > 30s);
}
GST_END_TEST

GST_START_TEST(a_generation_that_takes_longer_than_usual_does_not_reach_its_end) {
  const Status late = runningFor(1000s, 100s);
  fail_unless_equals_int(late.percent().value(), 95);
  fail_if(late.remaining().has_value());
}
GST_END_TEST

GST_START_TEST(the_wait_for_a_turn_is_no_part_of_the_progress) {
  Status status = runningFor(1000s, 100s);
  status.state = State::QueuedLocally;
  fail_unless_equals_int(status.percent().value(), 0);
  fail_if(status.remaining().has_value());
  status.state = State::Generating;
  status.queueTime = 950s;
  fail_unless_equals_int(status.percent().value(), 47);
  fail_unless(status.remaining().has_value());
}
GST_END_TEST

GST_START_TEST(without_a_documented_time_nothing_is_made_up) {
  fail_if(runningFor(50s, {}).percent().has_value());
  fail_if(runningFor(50s, {}).remaining().has_value());
  fail_if(runningFor(50s, 0s).percent().has_value());
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
  tcase_add_test(tests, progress_follows_the_documented_time);
  tcase_add_test(tests, a_generation_that_takes_longer_than_usual_does_not_reach_its_end);
  tcase_add_test(tests, the_wait_for_a_turn_is_no_part_of_the_progress);
  tcase_add_test(tests, without_a_documented_time_nothing_is_made_up);
  tcase_add_test(tests, a_download_counts_its_bytes);
  tcase_add_test(tests, a_hundred_percent_is_said_of_a_completed_generation_only);
  return suite;
}

GST_CHECK_MAIN(status)
