// SPDX-License-Identifier: LGPL-2.1-or-later
#include "timing/forecast.h"

#include "unit.h"

using namespace aimlvideo;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// All that may make an outlook change its mind.
std::vector<GenerationTimes> examples() {
  std::vector<GenerationTimes::Observation> two(10, {60, 0, false});
  two.resize(20, {600, 0, false});
  return {GenerationTimes(200), GenerationTimes(), GenerationTimes(2), GenerationTimes({}, two)};
}

} // namespace

GST_START_TEST(at_first_half_of_all_end_sooner_than_is_said) {
  Forecast forecast{GenerationTimes(200)};
  const Outlook outlook = forecast.at(0ms);
  fail_unless(outlook.left && *outlook.left > 190s && *outlook.left < 210s);
  fail_unless(outlook.done == 0 && !outlook.overdue);
}
GST_END_TEST

GST_START_TEST(the_time_left_never_grows_and_what_is_done_never_shrinks) {
  for (const GenerationTimes &times : examples()) {
    Forecast forecast(times);
    Outlook before = forecast.at(0ms);
    for (milliseconds waited = 0ms; waited < 2000s; waited += 1700ms) {
      const Outlook now = forecast.at(waited);
      fail_unless(now.done >= before.done && now.done < 1);
      fail_unless(!now.left || (before.left && *now.left <= *before.left));
      fail_unless(now.overdue || !before.overdue);
      before = now;
    }
  }
}
GST_END_TEST

GST_START_TEST(a_generation_near_its_usual_time_is_still_given_some) {
  Forecast forecast{GenerationTimes(200)};
  const Outlook outlook = forecast.at(200s);
  fail_unless(outlook.left && *outlook.left > 15s && *outlook.left < 60s);
  fail_unless(outlook.done > 0.7 && outlook.done < 0.95);
}
GST_END_TEST

GST_START_TEST(what_takes_longer_than_usual_is_said_to_and_given_no_time) {
  for (const GenerationTimes &times : examples()) {
    Forecast forecast(times);
    const milliseconds usual(static_cast<int64_t>(1000 * times.quantile(0.9)));
    fail_if(forecast.at(usual - 100ms).overdue);
    const Outlook late = forecast.at(usual + 100ms);
    fail_unless(late.overdue && !late.left);
    fail_unless(forecast.at(usual - 100ms).overdue);
  }
}
GST_END_TEST

static Suite *forecast_suite() {
  Suite *suite = suite_create("forecast");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, at_first_half_of_all_end_sooner_than_is_said);
  tcase_add_test(tests, the_time_left_never_grows_and_what_is_done_never_shrinks);
  tcase_add_test(tests, a_generation_near_its_usual_time_is_still_given_some);
  tcase_add_test(tests, what_takes_longer_than_usual_is_said_to_and_given_no_time);
  return suite;
}

GST_CHECK_MAIN(forecast)
