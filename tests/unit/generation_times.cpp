// SPDX-License-Identifier: LGPL-2.1-or-later
#include "timing/generation_times.h"

#include <cmath>

#include "unit.h"

using namespace aimlvideo;

namespace {

using Observations = std::vector<GenerationTimes::Observation>;

double median(const GenerationTimes &times) {
  return times.quantile(0.5);
}

bool isAbout(double value, double expected, double share) {
  return std::abs(value - expected) <= share * expected;
}

} // namespace

GST_START_TEST(the_documented_time_is_the_median_until_something_was_observed) {
  for (const double seconds : {78.0, 194.0, 431.0})
    fail_unless(isAbout(median(GenerationTimes(seconds)), seconds, 0.03), "%f", median(GenerationTimes(seconds)));
}
GST_END_TEST

GST_START_TEST(without_any_knowledge_a_wide_range_is_likely) {
  const GenerationTimes times;
  fail_unless(times.quantile(0.1) < 90 && times.quantile(0.9) > 350);
  fail_unless(isAbout(median(times), 194, 0.1));
}
GST_END_TEST

GST_START_TEST(a_few_observations_outweigh_the_documented_time) {
  fail_unless(isAbout(median(GenerationTimes(180, Observations(8, {60, 0, false}))), 60, 0.25));
  fail_unless(isAbout(median(GenerationTimes(180, Observations(40, {540, 0, false}))), 540, 0.1));
}
GST_END_TEST

GST_START_TEST(newer_observations_weigh_more) {
  Observations slower(16, {300, 0, false});
  slower.resize(64, {100, 0, false});
  fail_unless(median(GenerationTimes({}, slower)) > 150);
  Observations faster(16, {100, 0, false});
  faster.resize(64, {300, 0, false});
  fail_unless(median(GenerationTimes({}, faster)) < 200);
}
GST_END_TEST

GST_START_TEST(old_observations_fade_into_the_documented_time) {
  const Observations fresh(4, {60, 0, false});
  const Observations old(4, {60, 900, false});
  fail_unless(median(GenerationTimes(200, fresh)) < 100);
  fail_unless(median(GenerationTimes(200, old)) > 150);
  // a clock that was set back makes nothing of it
  fail_unless(isAbout(median(GenerationTimes(200, Observations(4, {60, -900, false}))),
                      median(GenerationTimes(200, fresh)), 0.01));
}
GST_END_TEST

GST_START_TEST(another_kind_of_the_same_model_is_a_hint_only) {
  const Observations hints(8, {60, 0, true});
  const Observations own(8, {60, 0, false});
  const double unhinted = median(GenerationTimes(200));
  const double hinted = median(GenerationTimes(200, hints));
  fail_unless(hinted < unhinted && hinted > median(GenerationTimes(200, own)) + 50);
}
GST_END_TEST

GST_START_TEST(two_ways_to_take_long_stay_two) {
  Observations both;
  for (int i = 0; i < 20; ++i)
    both.push_back({(i % 2 == 0 ? 90.0 : 270.0) * (1 + 0.01 * (i % 5)), 0, false});
  const GenerationTimes times({}, both);
  const auto density = [&](double seconds) {
    return times.hazard(seconds) * times.survival(seconds);
  };
  fail_unless(density(92) > 3 * density(155) && density(275) > 2 * density(155));
}
GST_END_TEST

GST_START_TEST(it_is_a_distribution) {
  const GenerationTimes times(120, {{100, 0, false}, {150, 1, false}, {40, 0, true}});
  fail_unless(isAbout(times.survival(0), 1, 1e-6));
  double sum = 0;
  double before = 1;
  for (double at = 0.5; at < 20000; at += 1) {
    const double now = times.survival(at);
    fail_unless(now <= before);
    before = now;
    sum += times.hazard(at) * now;
  }
  fail_unless(isAbout(sum, 1, 0.01), "%f", sum);
  fail_unless(times.quantile(0.1) < times.quantile(0.5) && times.quantile(0.5) < times.quantile(0.9));
  fail_unless(isAbout(times.survival(times.quantile(0.5)), 0.5, 0.1));
}
GST_END_TEST

GST_START_TEST(the_median_of_what_is_left_shrinks_while_nothing_is_late) {
  const GenerationTimes times(200);
  fail_unless(isAbout(times.medianLeft(0), 200, 0.01));
  fail_unless(isAbout(times.medianLeft(100), 100, 0.02));
  fail_unless(times.medianLeft(200) < 60 && times.medianLeft(200) > 20);
}
GST_END_TEST

GST_START_TEST(the_doubt_is_not_told) {
  // learned from an emulator: far from what any model takes
  const GenerationTimes times({}, Observations(20, {1, 0, false}));
  fail_unless(times.medianLeft(0) < 1.5 && times.quantile(0.85) < 2);
  fail_unless(times.survival(10) > 0.3);
}
GST_END_TEST

GST_START_TEST(nothing_odd_makes_it_odd) {
  const Observations odd{{0, 0, false}, {-5, 0, false}, {1e12, 1e9, false}, {INFINITY, 0, true}};
  for (const GenerationTimes &times : {GenerationTimes(0.0, odd), GenerationTimes(1e9), GenerationTimes::left()})
    for (const double at : {-1.0, 0.0, 1.0, 1e5, 1e12}) {
      fail_unless(std::isfinite(times.hazard(at)) && times.hazard(at) >= 0);
      fail_unless(times.survival(at) >= 0 && times.survival(at) <= 1 + 1e-9);
      fail_unless(std::isfinite(times.medianLeft(at)));
    }
}
GST_END_TEST

static Suite *generation_times_suite() {
  Suite *suite = suite_create("generation_times");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, the_documented_time_is_the_median_until_something_was_observed);
  tcase_add_test(tests, without_any_knowledge_a_wide_range_is_likely);
  tcase_add_test(tests, a_few_observations_outweigh_the_documented_time);
  tcase_add_test(tests, newer_observations_weigh_more);
  tcase_add_test(tests, old_observations_fade_into_the_documented_time);
  tcase_add_test(tests, another_kind_of_the_same_model_is_a_hint_only);
  tcase_add_test(tests, two_ways_to_take_long_stay_two);
  tcase_add_test(tests, it_is_a_distribution);
  tcase_add_test(tests, the_median_of_what_is_left_shrinks_while_nothing_is_late);
  tcase_add_test(tests, the_doubt_is_not_told);
  tcase_add_test(tests, nothing_odd_makes_it_odd);
  return suite;
}

GST_CHECK_MAIN(generation_times)
