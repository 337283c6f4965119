// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/nearest.h"

#include "unit.h"

using namespace aimlvideo;

GST_START_TEST(a_distance_counts_the_letters_that_are_wrong) {
  fail_unless_equals_int(editDistance("", ""), 0);
  fail_unless_equals_int(editDistance("prompt", "prompt"), 0);
  fail_unless_equals_int(editDistance("promt", "prompt"), 1);
  fail_unless_equals_int(editDistance("prompts", "prompt"), 1);
  fail_unless_equals_int(editDistance("prompd", "prompt"), 1);
  fail_unless_equals_int(editDistance("prmopt", "prompt"), 1);
  fail_unless_equals_int(editDistance("", "abc"), 3);
  fail_unless_equals_int(editDistance("kitten", "sitting"), 3);
}
GST_END_TEST

GST_START_TEST(case_and_separators_count_for_nothing) {
  fail_unless_equals_int(editDistance("aspectRatio", "aspect_ratio"), 1);
  fail_unless_equals_int(editDistance("Aspect-Ratio", "aspect_ratio"), 0);
  fail_unless_equals_int(editDistance("kling-video/v1-6/pro", "kling-video/v1.6/pro"), 0);
}
GST_END_TEST

GST_START_TEST(the_nearest_is_found_and_nothing_far_is_offered) {
  const std::vector<std::string> names{"prompt", "duration", "cfg_scale", "aspect_ratio"};
  fail_unless_equals_text(nearestTo("promt", names), "prompt");
  fail_unless_equals_text(nearestTo("cfgscale", names), "cfg_scale");
  fail_unless_equals_text(nearestTo("ratio_aspect", names), "");
  fail_unless_equals_text(nearestTo("seed", names), "");
  fail_unless_equals_text(nearestTo("", names), "");
  fail_unless_equals_text(nearestTo(std::string(1000, 'x'), names), "");
}
GST_END_TEST

static Suite *nearest_suite() {
  Suite *suite = suite_create("nearest");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_distance_counts_the_letters_that_are_wrong);
  tcase_add_test(tests, case_and_separators_count_for_nothing);
  tcase_add_test(tests, the_nearest_is_found_and_nothing_far_is_offered);
  return suite;
}

GST_CHECK_MAIN(nearest)
