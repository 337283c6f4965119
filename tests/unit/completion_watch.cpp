// SPDX-License-Identifier: LGPL-2.1-or-later
#include "timing/completion_watch.h"

#include "unit.h"

using namespace aimlvideo;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// A moment so long after the watch began, with the wall clock ahead by so much since then.
Moment at(milliseconds passed, milliseconds ahead = 0ms) {
  return {Clock::time_point(1000s) + passed, milliseconds(1'700'000'000'000) + passed + ahead};
}

CompletionWatch begun(milliseconds age = 0ms) {
  CompletionWatch watch;
  watch.begin(age, at(0ms));
  return watch;
}

} // namespace

GST_START_TEST(completion_lies_between_the_last_two_answers) {
  CompletionWatch watch = begun();
  watch.pending(at(98s));
  fail_unless(watch.completed(at(102s)) == 100s);
}
GST_END_TEST

GST_START_TEST(a_generation_that_is_done_at_the_first_poll_after_its_submission_was_quick) {
  fail_unless(begun().completed(at(300ms)) == 150ms);
}
GST_END_TEST

GST_START_TEST(polls_far_apart_teach_nothing) {
  CompletionWatch watch = begun();
  fail_if(watch.completed(at(100s)).has_value());
  watch.pending(at(60s));
  fail_if(watch.completed(at(100s)).has_value());
  watch.pending(at(80s));
  fail_unless(watch.completed(at(100s)).has_value());
}
GST_END_TEST

GST_START_TEST(a_resumed_generation_counts_from_its_submission) {
  CompletionWatch watch = begun(300s);
  watch.pending(at(5s));
  fail_unless(watch.completed(at(15s)) == 310s);
}
GST_END_TEST

GST_START_TEST(a_generation_that_was_done_when_it_was_resumed_teaches_nothing) {
  fail_if(begun(300s).completed(at(100ms)).has_value());
  fail_if(begun(1ms).completed(at(100ms)).has_value());
}
GST_END_TEST

GST_START_TEST(an_unknown_submission_teaches_nothing) {
  CompletionWatch watch;
  watch.pending(at(1s));
  fail_if(watch.completed(at(2s)).has_value());
  CompletionWatch forgotten = begun();
  forgotten.pending(at(1s));
  forgotten.forget();
  fail_if(forgotten.completed(at(2s)).has_value());
}
GST_END_TEST

GST_START_TEST(a_machine_that_slept_or_whose_clock_was_set_teaches_nothing) {
  for (const milliseconds ahead : {3600s, 10s, -10s}) {
    CompletionWatch watch = begun();
    watch.pending(at(98s));
    fail_if(watch.completed(at(102s, ahead)).has_value());
  }
  CompletionWatch watch = begun();
  watch.pending(at(98s));
  fail_unless(watch.completed(at(102s, 500ms)).has_value());
}
GST_END_TEST

static Suite *completion_watch_suite() {
  Suite *suite = suite_create("completion_watch");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, completion_lies_between_the_last_two_answers);
  tcase_add_test(tests, a_generation_that_is_done_at_the_first_poll_after_its_submission_was_quick);
  tcase_add_test(tests, polls_far_apart_teach_nothing);
  tcase_add_test(tests, a_resumed_generation_counts_from_its_submission);
  tcase_add_test(tests, a_generation_that_was_done_when_it_was_resumed_teaches_nothing);
  tcase_add_test(tests, an_unknown_submission_teaches_nothing);
  tcase_add_test(tests, a_machine_that_slept_or_whose_clock_was_set_teaches_nothing);
  return suite;
}

GST_CHECK_MAIN(completion_watch)
