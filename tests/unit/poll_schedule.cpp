// SPDX-License-Identifier: LGPL-2.1-or-later
#include "timing/poll_schedule.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "unit.h"

using namespace aimlvideo;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

struct Spread {
  milliseconds shortest{24h};
  milliseconds longest{0};
};

Spread spreadAt(const GenerationTimes &times, milliseconds waited) {
  Spread spread;
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    const milliseconds pause = pollPause(times, waited, seed);
    spread.shortest = std::min(spread.shortest, pause);
    spread.longest = std::max(spread.longest, pause);
  }
  return spread;
}

double normalQuantile(double share) {
  double low = -6;
  double high = 6;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < share ? low : high) = middle;
  }
  return low;
}

/// Mean delay until completion is noticed and polls, of generations that take `factor` times what is thought.
struct Cost {
  double delay = 0;
  double polls = 0;
};

Cost costOf(double factor) {
  Cost cost;
  constexpr double medians[] = {78,  79,  110, 122, 126, 127, 152, 186, 186, 186,
                                203, 204, 235, 235, 249, 322, 356, 381, 401, 431};
  constexpr unsigned jobs = 60;
  std::mt19937 random(1);
  for (const double median : medians) {
    const GenerationTimes times(median / factor);
    for (unsigned job = 0; job < jobs; ++job) {
      const double seconds = median * std::exp(0.25 * normalQuantile((job + 0.5) / jobs));
      const uint32_t seed = static_cast<uint32_t>(random());
      milliseconds waited = 0ms;
      for (const milliseconds end(std::llround(1000 * seconds)); waited < end; ++cost.polls)
        waited += pollPause(times, waited, seed);
      cost.delay += static_cast<double>(waited.count()) / 1000 - seconds;
    }
  }
  const double all = jobs * static_cast<double>(std::size(medians));
  return {cost.delay / all, cost.polls / all};
}

} // namespace

GST_START_TEST(the_first_polls_come_quickly_whatever_is_expected) {
  for (const GenerationTimes &times : {GenerationTimes(400), GenerationTimes(78), GenerationTimes()}) {
    fail_unless(spreadAt(times, 0ms).shortest >= 300ms && spreadAt(times, 0ms).longest <= 375ms);
    fail_unless(spreadAt(times, 300ms).longest <= 750ms);
    fail_unless(spreadAt(times, 900ms).longest <= 1500ms);
    fail_unless(spreadAt(times, 3s).longest <= 11250ms);
  }
}
GST_END_TEST

GST_START_TEST(polls_are_dense_where_completion_is_likely_and_sparse_where_it_is_not) {
  const GenerationTimes times(200);
  const auto at = [&](milliseconds waited) {
    return spreadAt(times, waited).longest;
  };
  fail_unless(at(200s) < 2s);
  fail_unless(at(40s) > 3 * at(200s));
  fail_unless(at(1200s) > 3 * at(200s));
}
GST_END_TEST

GST_START_TEST(a_pause_before_a_likely_time_ends_near_it) {
  // all of them end at 100 s or so
  const GenerationTimes times({}, std::vector<GenerationTimes::Observation>(64, {100, 0, false}));
  fail_unless(pollPause(times, 75s, 1) > 5s);
  fail_unless(75s + pollPause(times, 75s, 1) < 96s);
}
GST_END_TEST

GST_START_TEST(no_pause_leaves_its_bounds) {
  for (const double expected : {0.1, 2.0, 20.0, 70.0, 400.0, 5000.0}) {
    const GenerationTimes times(expected);
    for (milliseconds waited = 0ms; waited < 4000s; waited += 7777ms) {
      const Spread spread = spreadAt(times, waited);
      fail_unless(spread.longest <= 15s);
      fail_unless(spread.shortest >= (waited < 60s ? 300ms : 1000ms));
    }
    fail_unless(spreadAt(times, 1000h).longest <= 15s && spreadAt(times, -5s).shortest >= 300ms);
  }
}
GST_END_TEST

GST_START_TEST(many_pipelines_do_not_ask_at_once) {
  const GenerationTimes times(194);
  for (const milliseconds waited : {5s, 25s}) {
    std::set<milliseconds> pauses;
    for (uint32_t seed = 1; seed <= 200; ++seed)
      pauses.insert(pollPause(times, waited, seed));
    fail_unless(pauses.size() > 150);
    fail_unless(*pauses.rbegin() - *pauses.begin() >= 1s);
  }
}
GST_END_TEST

GST_START_TEST(the_same_question_has_the_same_answer) {
  const GenerationTimes times(194);
  fail_unless(pollPause(times, 12345ms, 42) == pollPause(times, 12345ms, 42));
  fail_if(pollPause(times, 12345ms, 42) == pollPause(times, 12345ms, 43));
}
GST_END_TEST

GST_START_TEST(what_the_service_asks_for_is_kept_and_spread_upwards) {
  std::set<milliseconds> pauses;
  for (uint32_t seed = 1; seed <= 100; ++seed)
    pauses.insert(pollPauseAsAsked(60s, seed));
  fail_unless(*pauses.begin() >= 60s && *pauses.rbegin() <= 63s && pauses.size() > 50);
  fail_unless(pollPauseAsAsked(0s, 1) >= 300ms);
}
GST_END_TEST

GST_START_TEST(on_the_documented_times_it_is_at_the_frontier_of_delay_and_polls) {
  const Cost cost = costOf(1);
  fail_unless(cost.delay <= 0.96 && cost.polls <= 60.5, "%f s, %f polls", cost.delay, cost.polls);
}
GST_END_TEST

GST_START_TEST(a_time_that_is_wrong_by_a_factor_of_three_costs_five_seconds_at_most) {
  for (const double factor : {3.0, 1 / 3.0}) {
    const Cost cost = costOf(factor);
    fail_unless(cost.delay <= 5 && cost.polls <= 150, "%f s, %f polls", cost.delay, cost.polls);
  }
}
GST_END_TEST

static Suite *poll_schedule_suite() {
  Suite *suite = suite_create("poll_schedule");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, the_first_polls_come_quickly_whatever_is_expected);
  tcase_add_test(tests, polls_are_dense_where_completion_is_likely_and_sparse_where_it_is_not);
  tcase_add_test(tests, a_pause_before_a_likely_time_ends_near_it);
  tcase_add_test(tests, no_pause_leaves_its_bounds);
  tcase_add_test(tests, many_pipelines_do_not_ask_at_once);
  tcase_add_test(tests, the_same_question_has_the_same_answer);
  tcase_add_test(tests, what_the_service_asks_for_is_kept_and_spread_upwards);
  tcase_add_test(tests, on_the_documented_times_it_is_at_the_frontier_of_delay_and_polls);
  tcase_add_test(tests, a_time_that_is_wrong_by_a_factor_of_three_costs_five_seconds_at_most);
  return suite;
}

GST_CHECK_MAIN(poll_schedule)
