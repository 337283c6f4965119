// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/retry.h"

#include <algorithm>

#include "unit.h"

using namespace aimlvideo;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::system_clock;

namespace {

struct Spread {
  milliseconds shortest{240h};
  milliseconds longest{0};
};

Spread spreadOf(const RetryPolicy &policy, unsigned number, std::optional<seconds> retryAfter = {}) {
  Spread spread;
  std::minstd_rand random(7);
  for (unsigned i = 0; i < 500; ++i) {
    const milliseconds pause = policy.pauseBefore(number, retryAfter, random);
    spread.shortest = std::min(spread.shortest, pause);
    spread.longest = std::max(spread.longest, pause);
  }
  return spread;
}

} // namespace

GST_START_TEST(pauses_double_and_are_spread) {
  const RetryPolicy policy{1000ms, 30'000ms, 0};
  milliseconds middle = 1000ms;
  for (unsigned number = 2; number <= 5; ++number, middle *= 2) {
    const Spread spread = spreadOf(policy, number);
    fail_unless(spread.shortest >= middle * 3 / 4 && spread.longest <= middle * 5 / 4);
    fail_unless(spread.longest - spread.shortest > middle / 3);
  }
}
GST_END_TEST

GST_START_TEST(pauses_are_capped_however_many_there_were) {
  const RetryPolicy policy{1000ms, 30'000ms, 0};
  for (const unsigned number : {7U, 20U, 40U, 1000U, ~0U}) {
    const Spread spread = spreadOf(policy, number);
    fail_unless(spread.shortest >= 22'500ms && spread.longest <= 37'500ms, "number %u", number);
  }
}
GST_END_TEST

GST_START_TEST(an_odd_number_is_no_crash) {
  const RetryPolicy policy{1000ms, 30'000ms, 0};
  fail_unless(spreadOf(policy, 0).longest <= 1250ms);
  fail_unless(spreadOf(policy, 1).longest <= 1250ms);
}
GST_END_TEST

GST_START_TEST(what_the_server_asks_for_is_never_undercut) {
  const RetryPolicy policy{1000ms, 30'000ms, 0};
  const Spread spread = spreadOf(policy, 2, 60s);
  fail_unless(spread.shortest >= 60s && spread.longest <= 66s && spread.longest > 62s);
}
GST_END_TEST

GST_START_TEST(a_server_that_asks_for_less_does_not_shorten_the_pause) {
  const RetryPolicy policy{1000ms, 30'000ms, 0};
  fail_unless(spreadOf(policy, 2, 0s).shortest >= 750ms);
}
GST_END_TEST

GST_START_TEST(retry_after_is_read_as_seconds) {
  const auto now = system_clock::now();
  fail_unless(parseRetryAfter("0", now) == 0s);
  fail_unless(parseRetryAfter("120", now) == 120s);
  fail_unless(parseRetryAfter("86400", now) == 24h);
}
GST_END_TEST

GST_START_TEST(retry_after_is_at_most_a_day) {
  const auto now = system_clock::now();
  fail_unless(parseRetryAfter("86401", now) == 24h);
  fail_unless(parseRetryAfter("9223372036854775807", now) == 24h);
  fail_unless(parseRetryAfter("Fri, 31 Dec 2999 23:59:59 GMT", now) == 24h);
}
GST_END_TEST

GST_START_TEST(retry_after_is_read_as_a_date) {
  const auto now = system_clock::from_time_t(784111777); // Sun, 06 Nov 1994 08:49:37 GMT
  fail_unless(parseRetryAfter("Sun, 06 Nov 1994 08:50:37 GMT", now) == 60s);
  fail_unless(parseRetryAfter("Sun, 06 Nov 1994 08:49:37 GMT", now) == 0s);
  fail_unless(parseRetryAfter("Sun, 06 Nov 1994 08:00:00 GMT", now) == 0s);
}
GST_END_TEST

GST_START_TEST(a_retry_after_that_can_not_be_read_is_none) {
  const auto now = system_clock::now();
  for (const char *value : {"", "soon", "-5", "1.5", "12 s", "+3", "0x10", "99999999999999999999999"})
    fail_if(parseRetryAfter(value, now).has_value(), "%s", value);
}
GST_END_TEST

static Suite *retry_suite() {
  Suite *suite = suite_create("retry");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, pauses_double_and_are_spread);
  tcase_add_test(tests, pauses_are_capped_however_many_there_were);
  tcase_add_test(tests, an_odd_number_is_no_crash);
  tcase_add_test(tests, what_the_server_asks_for_is_never_undercut);
  tcase_add_test(tests, a_server_that_asks_for_less_does_not_shorten_the_pause);
  tcase_add_test(tests, retry_after_is_read_as_seconds);
  tcase_add_test(tests, retry_after_is_at_most_a_day);
  tcase_add_test(tests, retry_after_is_read_as_a_date);
  tcase_add_test(tests, a_retry_after_that_can_not_be_read_is_none);
  return suite;
}

GST_CHECK_MAIN(retry)
