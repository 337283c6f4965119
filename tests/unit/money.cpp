// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/money.h>

#include <limits>

#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

GST_START_TEST(an_amount_is_read_whole) {
  fail_unless(parseUsd("0.50") == 0.5);
  fail_unless(parseUsd("12") == 12.0);
  fail_unless(parseUsd("1e-3") == 0.001);
  fail_unless(parseUsd("0") == 0.0);
}
GST_END_TEST

GST_START_TEST(what_would_lift_a_cap_is_no_amount) {
  for (const char *text : {"nan", "NaN", "nan(1)", "-nan", "inf", "-inf", "infinity", "1e999", "-1", "-0.01", "-1000"})
    fail_if(parseUsd(text).has_value(), "%s", text);
  for (const double number : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1.0})
    fail_if(isAmount(number), "%g", number);
}
GST_END_TEST

GST_START_TEST(what_is_only_in_part_a_number_is_no_amount) {
  for (const char *text : {"", " ", " 1", "1 ", "+1", "0,5", "1 USD", "$1", "0x10", "1e", ".", "lots", "1.2.3"})
    fail_if(parseUsd(text).has_value(), "\"%s\"", text);
}
GST_END_TEST

static Suite *money_suite() {
  Suite *suite = suite_create("money");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, an_amount_is_read_whole);
  tcase_add_test(tests, what_would_lift_a_cap_is_no_amount);
  tcase_add_test(tests, what_is_only_in_part_a_number_is_no_amount);
  return suite;
}

GST_CHECK_MAIN(money)
