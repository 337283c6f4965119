// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/poll_schedule.h"

#include <algorithm>

#include "unit.h"

using namespace aimlvideo;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

struct Spread {
  milliseconds shortest{24h};
  milliseconds longest{0};
};

Spread spreadAt(milliseconds waited) {
  Spread spread;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::minstd_rand random(seed);
    const milliseconds pause = pollPause(waited, random);
    spread.shortest = std::min(spread.shortest, pause);
    spread.longest = std::max(spread.longest, pause);
  }
  return spread;
}

} // namespace

GST_START_TEST(the_first_polls_come_quickly) {
  fail_unless(spreadAt(0ms).longest <= 330ms);
  fail_unless(spreadAt(0ms).shortest >= 270ms);
  fail_unless(spreadAt(600ms).longest <= 660ms);
}
GST_END_TEST

GST_START_TEST(later_polls_are_spaced_by_the_time_waited) {
  fail_unless(spreadAt(5s).shortest >= 900ms && spreadAt(5s).longest <= 1100ms);
  fail_unless(spreadAt(100s).shortest >= 1800ms && spreadAt(100s).longest <= 2200ms);
  fail_unless(spreadAt(300s).shortest >= 5400ms && spreadAt(300s).longest <= 6600ms);
}
GST_END_TEST

GST_START_TEST(no_pause_is_longer_than_eleven_seconds) {
  for (const milliseconds waited : {milliseconds(500s), milliseconds(1800s), milliseconds(24h)})
    fail_unless(spreadAt(waited).longest <= 11s && spreadAt(waited).shortest >= 9s);
}
GST_END_TEST

GST_START_TEST(many_pipelines_do_not_ask_at_once) {
  const Spread spread = spreadAt(500s);
  fail_unless(spread.longest - spread.shortest >= 1s);
}
GST_END_TEST

GST_START_TEST(a_whole_generation_of_three_minutes_takes_less_than_a_hundred_polls) {
  std::minstd_rand random(1);
  milliseconds waited = 0ms;
  unsigned polls = 0;
  for (; waited < 180s; ++polls)
    waited += pollPause(waited, random);
  fail_unless(polls > 30 && polls < 130, "%u polls", polls);
}
GST_END_TEST

static Suite *poll_schedule_suite() {
  Suite *suite = suite_create("poll_schedule");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, the_first_polls_come_quickly);
  tcase_add_test(tests, later_polls_are_spaced_by_the_time_waited);
  tcase_add_test(tests, no_pause_is_longer_than_eleven_seconds);
  tcase_add_test(tests, many_pipelines_do_not_ask_at_once);
  tcase_add_test(tests, a_whole_generation_of_three_minutes_takes_less_than_a_hundred_polls);
  return suite;
}

GST_CHECK_MAIN(poll_schedule)
