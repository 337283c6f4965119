// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/present_ranges.h"

#include <algorithm>
#include <random>
#include <vector>

#include "support/check.h"

using namespace aimlvideo;

namespace {

constexpr uint64_t length = 300;

/// The same promises over one flag for each byte.
struct Model {
  std::vector<bool> present = std::vector<bool>(length, false);

  void add(uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i)
      present[i] = true;
  }
  uint64_t presentUntil(uint64_t offset) const {
    while (offset < length && present[offset])
      ++offset;
    return offset;
  }
  std::optional<uint64_t> nextRun(uint64_t offset) const {
    for (uint64_t i = offset + 1; i < length; ++i)
      if (present[i] && !present[i - 1])
        return i;
    return {};
  }
  uint64_t bytes() const { return static_cast<uint64_t>(std::count(present.begin(), present.end(), true)); }
};

} // namespace

GST_START_TEST(nothing_is_present_at_first) {
  PresentRanges ranges;
  fail_unless_equals_uint64(ranges.presentUntil(7), 7);
  fail_if(ranges.nextRun(0).has_value());
  fail_if(ranges.contains(0, 1));
  fail_unless(ranges.contains(5, 5));
}
GST_END_TEST

GST_START_TEST(runs_that_touch_become_one) {
  PresentRanges ranges;
  ranges.add(0, 10);
  ranges.add(20, 30);
  fail_unless_equals_uint64(ranges.presentUntil(0), 10);
  ranges.add(10, 20);
  fail_unless_equals_uint64(ranges.presentUntil(0), 30);
  fail_if(ranges.nextRun(0).has_value());
}
GST_END_TEST

GST_START_TEST(it_answers_like_a_plain_model_whatever_is_added) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    std::minstd_rand random(seed);
    PresentRanges ranges;
    Model model;
    for (int step = 0; step < 40; ++step) {
      const uint64_t begin = random() % length;
      const uint64_t end = std::min<uint64_t>(length, begin + random() % (seed % 2 ? 8 : 60));
      ranges.add(begin, end);
      model.add(begin, end);
      if (step == 20 && seed % 5 == 0) {
        ranges.clear();
        model = {};
      }
      fail_unless_equals_uint64(ranges.bytes(), model.bytes());
      for (uint64_t offset = 0; offset < length; ++offset) {
        fail_unless_equals_uint64(ranges.presentUntil(offset), model.presentUntil(offset));
        fail_unless(ranges.nextRun(offset) == model.nextRun(offset));
      }
      fail_unless_equals_int(ranges.contains(begin, end), model.presentUntil(begin) >= end);
    }
  }
}
GST_END_TEST

static Suite *present_ranges_suite() {
  Suite *suite = suite_create("present_ranges");
  TCase *tests = tcase_create("ranges");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, nothing_is_present_at_first);
  tcase_add_test(tests, runs_that_touch_become_one);
  tcase_add_test(tests, it_answers_like_a_plain_model_whatever_is_added);
  return suite;
}

GST_CHECK_MAIN(present_ranges)
