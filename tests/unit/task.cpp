// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/task.h"

#include <memory>
#include <stdexcept>
#include <string>

#include "await.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

enum class Waits { No, Yes };

Task<std::string> says(std::string text, Waits waits) {
  if (waits == Waits::Yes)
    co_await LetOthersGo{};
  co_return text + "!";
}

Task<void> throws(Waits waits) {
  if (waits == Waits::Yes)
    co_await LetOthersGo{};
  throw std::runtime_error("out of it");
}

Task<std::unique_ptr<int>> makes(int value) {
  co_return std::make_unique<int>(value);
}

/// How far the stack reaches down at the moment.
[[gnu::noinline]] uintptr_t stackPosition() {
  return reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
}

Task<uintptr_t> position(Waits waits) {
  if (waits == Waits::Yes)
    co_await LetOthersGo{};
  co_return stackPosition();
}

/// By how much the stack grows from the first to the last of so many tasks, awaited one after the other.
Task<uintptr_t> stackGrowth(unsigned number, Waits waits) {
  const uintptr_t first = co_await position(waits);
  uintptr_t last = first;
  for (unsigned i = 1; i < number; ++i)
    last = co_await position(waits);
  co_return first > last ? first - last : last - first;
}

Task<unsigned> deep(unsigned levels) {
  if (levels == 0) {
    co_await LetOthersGo{};
    co_return 0;
  }
  co_return 1 + co_await deep(levels - 1);
}

} // namespace

GST_START_TEST(a_task_brings_its_result) {
  for (const Waits waits : {Waits::No, Waits::Yes})
    fail_unless_equals_text(await(says("well", waits)), "well!");
  fail_unless_equals_int(*await(makes(7)), 7);
  fail_unless_equals_int(static_cast<int>(await(deep(1000))), 1000);
}
GST_END_TEST

GST_START_TEST(an_exception_reaches_whoever_awaits) {
  for (const Waits waits : {Waits::No, Waits::Yes}) {
    const auto catches = [waits]() -> Task<std::string> {
      try {
        co_await throws(waits);
      } catch (const std::runtime_error &error) {
        co_return error.what();
      }
      co_return "";
    };
    fail_unless_equals_text(await(catches()), "out of it");
    std::string outside;
    try {
      await(throws(waits));
    } catch (const std::runtime_error &error) {
      outside = error.what();
    }
    fail_unless_equals_text(outside, "out of it");
  }
}
GST_END_TEST

GST_START_TEST(tasks_awaited_one_after_the_other_take_no_more_stack_than_one) {
  constexpr unsigned pages = 16 * 4096;
  fail_unless(await(stackGrowth(1'000'000, Waits::No)) < pages);
  fail_unless(await(stackGrowth(100'000, Waits::Yes)) < pages);
}
GST_END_TEST

GST_START_TEST(a_task_begins_when_it_is_awaited) {
  const auto order = []() -> Task<std::string> {
    std::string text;
    const auto append = [&text](char letter) -> Task<void> {
      text += letter;
      co_return;
    };
    auto second = append('b');
    text += 'a';
    co_await std::move(second);
    text += 'c';
    co_return text;
  };
  fail_unless_equals_text(await(order()), "abc");
}
GST_END_TEST

GST_START_TEST(a_task_that_never_begins_lets_go_of_its_arguments) {
  const auto argument = std::make_shared<int>(1);
  bool begun = false;
  const auto keeps = [&begun](std::shared_ptr<int>) -> Task<void> {
    begun = true;
    co_return;
  };
  {
    const Task<void> never = keeps(argument);
    fail_unless_equals_int(argument.use_count(), 2);
    auto moved = keeps(argument);
    const Task<void> other(std::move(moved));
    fail_unless_equals_int(argument.use_count(), 3);
  }
  fail_unless_equals_int(argument.use_count(), 1);
  fail_if(begun);
}
GST_END_TEST

GST_START_TEST(what_a_task_holds_goes_with_the_wait_for_it) {
  const auto argument = std::make_shared<int>(1);
  const auto keeps = [](std::shared_ptr<int> kept, Waits waits) -> Task<int> {
    if (waits == Waits::Yes)
      co_await LetOthersGo{};
    co_return *kept;
  };
  const auto counts = [&](Waits waits) -> Task<long> {
    (void)co_await keeps(argument, waits);
    co_return argument.use_count();
  };
  for (const Waits waits : {Waits::No, Waits::Yes})
    fail_unless_equals_int(await(counts(waits)), 1);
}
GST_END_TEST

GST_START_TEST(a_detached_task_goes_when_it_has_ended) {
  const auto argument = std::make_shared<int>(1);
  const auto keeps = [](std::shared_ptr<int>) -> Task<void> {
    co_await LetOthersGo{};
  };
  const auto counts = [&]() -> Task<long> {
    detach(keeps(argument));
    co_await LetOthersGo{};
    co_await LetOthersGo{};
    co_return argument.use_count();
  };
  fail_unless_equals_int(await(counts()), 1);
}
GST_END_TEST

static Suite *task_suite() {
  Suite *suite = suite_create("task");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_task_brings_its_result);
  tcase_add_test(tests, an_exception_reaches_whoever_awaits);
  tcase_add_test(tests, tasks_awaited_one_after_the_other_take_no_more_stack_than_one);
  tcase_add_test(tests, a_task_begins_when_it_is_awaited);
  tcase_add_test(tests, a_task_that_never_begins_lets_go_of_its_arguments);
  tcase_add_test(tests, what_a_task_holds_goes_with_the_wait_for_it);
  tcase_add_test(tests, a_detached_task_goes_when_it_has_ended);
  return suite;
}

GST_CHECK_MAIN(task)
