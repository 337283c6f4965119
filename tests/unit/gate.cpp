// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/gate.h"

#include <optional>
#include <string>

#include "await.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

/// A gate, and those who want to get in. Everything happens on the network thread.
struct Crowd {
  explicit Crowd(size_t width) : gate(width) {}

  Gate gate;
  std::map<char, Cancellation> cancellations;
  std::map<char, std::optional<Gate::Pass>> inside;
  std::string entered; ///< in that order
  std::string refused;

  void come(char name, Clock::time_point deadline = Clock::time_point::max()) { detach(enter(name, deadline)); }
  void leave(char name) { inside.erase(name); }
  void stop(char name) { cancellations[name].cancel(); }

private:
  Task<void> enter(char name, Clock::time_point deadline) {
    auto pass = co_await gate.enter(cancellations[name], deadline);
    (pass ? entered : refused) += name;
    if (pass)
      inside[name].emplace(std::move(*pass));
  }
};

/// Lets all that was brought about happen.
Task<void> settle() {
  for (unsigned turns = 0; turns < 10; ++turns)
    co_await LetOthersGo{};
}

} // namespace

GST_START_TEST(as_many_as_the_gate_is_wide_pass_at_once_and_the_others_in_the_order_in_which_they_came) {
  const auto all = []() -> Task<void> {
    Crowd crowd(2);
    for (const char name : std::string("abcde"))
      crowd.come(name);
    fail_unless_equals_text(crowd.entered, "ab");
    crowd.leave('b');
    co_await settle();
    fail_unless_equals_text(crowd.entered, "abc");
    crowd.come('f'); // after those that wait
    crowd.leave('a');
    crowd.leave('c');
    co_await settle();
    fail_unless_equals_text(crowd.entered, "abcde");
    crowd.leave('d');
    co_await settle();
    fail_unless_equals_text(crowd.entered, "abcdef");
    crowd.leave('e');
    crowd.leave('f');
    for (const char name : std::string("ghi"))
      crowd.come(name); // it is as wide as before
    fail_unless_equals_text(crowd.entered, "abcdefgh");
    crowd.leave('g');
    co_await settle();
    fail_unless_equals_text(crowd.entered, "abcdefghi");
  };
  await(all());
}
GST_END_TEST

GST_START_TEST(who_is_stopped_in_front_of_a_full_gate_keeps_nobody_from_it) {
  const auto all = []() -> Task<void> {
    Crowd crowd(1);
    for (const char name : std::string("abcd"))
      crowd.come(name);
    crowd.stop('b');
    crowd.stop('d');
    co_await settle();
    fail_unless_equals_text(crowd.refused, "bd");
    fail_unless_equals_text(crowd.entered, "a");
    crowd.leave('a');
    co_await settle();
    fail_unless_equals_text(crowd.entered, "ac");
    crowd.leave('c');
    crowd.come('e');
    fail_unless_equals_text(crowd.entered, "ace");
  };
  await(all());
}
GST_END_TEST

GST_START_TEST(a_turn_that_comes_to_one_who_is_stopped_goes_to_the_next) {
  const auto all = []() -> Task<void> {
    Crowd crowd(1);
    for (const char name : std::string("abc"))
      crowd.come(name);
    crowd.leave('a'); // b may enter,
    crowd.stop('b');  // and is stopped before it has
    co_await settle();
    fail_unless_equals_text(crowd.refused, "b");
    fail_unless_equals_text(crowd.entered, "ac");
  };
  await(all());
}
GST_END_TEST

GST_START_TEST(who_was_stopped_before_does_not_enter_a_free_gate) {
  const auto all = []() -> Task<void> {
    Crowd crowd(1);
    crowd.stop('a');
    crowd.come('a');
    fail_unless_equals_text(crowd.refused, "a");
    crowd.come('b');
    fail_unless_equals_text(crowd.entered, "b");
    co_return;
  };
  await(all());
}
GST_END_TEST

GST_START_TEST(who_waits_too_long_gives_up_and_keeps_nobody_from_the_gate) {
  const auto all = []() -> Task<void> {
    Crowd crowd(1);
    crowd.come('a');
    const auto now = Clock::now();
    crowd.come('b', now + 5ms);
    crowd.come('c');
    crowd.come('d', now + 3ms);
    while (crowd.refused.size() < 2)
      co_await LetOthersGo{};
    fail_unless_equals_text(crowd.refused, "db");
    fail_unless_equals_text(crowd.entered, "a");
    crowd.leave('a');
    co_await settle();
    fail_unless_equals_text(crowd.entered, "ac");
  };
  await(all());
}
GST_END_TEST

static Suite *gate_suite() {
  Suite *suite = suite_create("gate");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, as_many_as_the_gate_is_wide_pass_at_once_and_the_others_in_the_order_in_which_they_came);
  tcase_add_test(tests, who_is_stopped_in_front_of_a_full_gate_keeps_nobody_from_it);
  tcase_add_test(tests, a_turn_that_comes_to_one_who_is_stopped_goes_to_the_next);
  tcase_add_test(tests, who_was_stopped_before_does_not_enter_a_free_gate);
  tcase_add_test(tests, who_waits_too_long_gives_up_and_keeps_nobody_from_the_gate);
  return suite;
}

GST_CHECK_MAIN(gate)
