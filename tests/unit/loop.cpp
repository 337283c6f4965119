// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/loop.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include <unistd.h>

#include "await.h"
#include "base/cancellation.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

constexpr unsigned many = 10'000;

/// Has the network thread call, and waits for the end.
void onLoop(const std::function<void()> &call) {
  const auto task = [&]() -> Task<void> {
    call();
    co_return;
  };
  await(task());
}

/// The number that a GSource gets which is attached to the network thread's context now: they are counted up.
guint nextSource() {
  GSource *source = g_idle_source_new();
  const guint id = g_source_attach(source, g_main_context_get_thread_default());
  g_source_destroy(source);
  g_source_unref(source);
  return id;
}

/// Waits until `done` says so.
Task<void> until(std::function<bool()> done) {
  while (!done())
    co_await LetOthersGo{};
}

/// Many that sleep, and the order in which they wake up.
struct Sleepers {
  std::vector<std::unique_ptr<Cancellation>> cancellations;
  std::vector<std::pair<unsigned, bool>> woken; ///< number, and whether its time had come

  Sleepers() {
    for (unsigned i = 0; i < many; ++i)
      cancellations.push_back(std::make_unique<Cancellation>());
  }
  Task<void> sleep(unsigned number, Clock::time_point when) {
    const bool slept = co_await cancellations[number]->sleepUntil(when);
    woken.emplace_back(number, slept);
  }
};

} // namespace

GST_START_TEST(what_is_posted_is_done_in_that_order) {
  Loop &loop = Loop::instance();
  std::string text;
  onLoop([&] {
    loop.post([&] {
      text += 'a';
      loop.post([&] { text += 'c'; });
    });
    loop.post([&] { text += 'b'; });
  });
  onLoop([] {});
  onLoop([] {});
  fail_unless_equals_text(text, "abc");
}
GST_END_TEST

GST_START_TEST(every_thread_may_post) {
  std::vector<std::vector<unsigned>> seen(4);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < seen.size(); ++i)
    threads.emplace_back([&seen, i] {
      for (unsigned number = 0; number < 1000; ++number)
        Loop::instance().post([&seen, i, number] { seen[i].push_back(number); });
    });
  for (std::thread &thread : threads)
    thread.join();
  onLoop([] {});
  for (const auto &numbers : seen) {
    fail_unless_equals_int(static_cast<int>(numbers.size()), 1000);
    fail_unless(std::is_sorted(numbers.begin(), numbers.end()));
  }
}
GST_END_TEST

GST_START_TEST(what_comes_bit_by_bit_is_done_by_the_same_threads) {
  std::set<pid_t> threads;
  for (unsigned i = 0; i < 20; ++i) {
    g_usleep(5000); // the thread has nothing to do meanwhile
    const auto task = [&]() -> Task<void> {
      threads.insert(co_await onPool([] { return gettid(); }));
    };
    await(task());
  }
  fail_unless(threads.size() < 10, "%zu threads for 20 pieces of work", threads.size());
}
GST_END_TEST

/// Each piece of work blocks until the last has begun.
GST_START_TEST(what_comes_at_once_is_done_at_once) {
  for (unsigned round = 0; round < 20; ++round) {
    std::promise<void> all;
    const auto begun = all.get_future().share();
    std::atomic<unsigned> inside = 0;
    std::promise<void> end;
    std::atomic<unsigned> ended = 0;
    for (unsigned i = 0; i < 8; ++i)
      Loop::instance().pool().push([&] {
        if (++inside == 8)
          all.set_value();
        begun.wait();
        if (++ended == 8)
          end.set_value();
      });
    end.get_future().wait();
  }
}
GST_END_TEST

GST_START_TEST(timers_call_in_the_order_of_their_times) {
  std::string text;
  std::vector<std::unique_ptr<Loop::Timer>> timers;
  const auto now = Clock::now();
  const auto add = [&](std::chrono::milliseconds after, char letter) {
    timers.push_back(std::make_unique<Loop::Timer>(now + after, [&text, letter] { text += letter; }));
  };
  onLoop([&] {
    add(24h, 'z');
    add(9ms, 'e');
    add(3ms, 'b');
    add(6ms, 'd');
    add(3ms, 'c'); // made later
    add(-1s, 'a');
  });
  await(until([&] { return text.size() == 5; }));
  fail_unless_equals_text(text, "abcde");
  onLoop([&] { timers.clear(); });
}
GST_END_TEST

GST_START_TEST(a_timer_may_end_itself_and_others_and_make_new_ones) {
  std::string text;
  std::optional<Loop::Timer> first;
  std::optional<Loop::Timer> second;
  std::optional<Loop::Timer> third;
  std::optional<Loop::Timer> fourth;
  onLoop([&] {
    const auto now = Clock::now();
    second.emplace(now, [&] { text += '2'; });
    third.emplace(now, [&] { text += '3'; });
    first.emplace(now - 1ms, [&, now] {
      text += '1';
      second.reset(); // which is due as well
      fourth.emplace(now + 1ms, [&] { text += '4'; });
      first.reset();
    });
  });
  await(until([&] { return text.ends_with('4'); }));
  fail_unless_equals_text(text, "134");
  onLoop([&] {
    third.reset();
    fourth.reset();
  });
}
GST_END_TEST

GST_START_TEST(a_timer_that_has_gone_does_not_call) {
  bool called = false;
  bool later = false;
  std::optional<Loop::Timer> after;
  onLoop([&] {
    const auto now = Clock::now();
    const Loop::Timer gone(now + 2ms, [&] { called = true; });
    after.emplace(now + 4ms, [&] { later = true; });
  });
  await(until([&] { return later; }));
  fail_if(called);
  onLoop([&] { after.reset(); });
}
GST_END_TEST

GST_START_TEST(ten_thousand_that_sleep_are_no_source_of_their_own_and_wake_up_in_order) {
  Sleepers sleepers;
  std::vector<unsigned> places(many);
  for (unsigned i = 0; i < many; ++i)
    places[i] = i;
  std::shuffle(places.begin(), places.end(), std::minstd_rand(7));
  guint sources = 0;
  onLoop([&] {
    const guint before = nextSource();
    const auto begun = Clock::now() + 2s; // none may be due before all are made, on a busy machine either
    for (const unsigned place : places)
      detach(sleepers.sleep(place, begun + std::chrono::microseconds(place)));
    sources = nextSource() - before - 1;
  });
  await(until([&] { return sleepers.woken.size() == many; }));
  fail_unless_equals_int(static_cast<int>(sources), 0);
  fail_unless(std::is_sorted(sleepers.woken.begin(), sleepers.woken.end()));
  fail_unless(std::all_of(sleepers.woken.begin(), sleepers.woken.end(), [](auto &woken) { return woken.second; }));
}
GST_END_TEST

GST_START_TEST(ten_thousand_that_sleep_are_stopped_in_the_order_of_their_stops) {
  Sleepers sleepers;
  onLoop([&] {
    for (unsigned i = 0; i < many; ++i)
      detach(sleepers.sleep(i, Clock::time_point::max()));
  });
  fail_unless(sleepers.woken.empty());
  for (const auto &cancellation : sleepers.cancellations)
    cancellation->cancel();
  await(until([&] { return sleepers.woken.size() == many; }));
  fail_unless(std::is_sorted(sleepers.woken.begin(), sleepers.woken.end()));
  fail_if(std::any_of(sleepers.woken.begin(), sleepers.woken.end(), [](auto &woken) { return woken.second; }));
}
GST_END_TEST

GST_START_TEST(the_pool_brings_results_and_exceptions) {
  const auto all = []() -> Task<std::string> {
    std::string text = co_await onPool([] { return std::string(Loop::instance().isCurrent() ? "here" : "elsewhere"); });
    text += Loop::instance().isCurrent() ? " and back" : " and lost";
    bool done = false;
    co_await onPool([&] { done = true; });
    text += done ? ", done" : "";
    try {
      (void)co_await onPool([]() -> int { throw std::runtime_error("broken"); });
    } catch (const std::runtime_error &error) {
      text += std::string(", ") + error.what();
    }
    try {
      co_await onPool([] { throw std::runtime_error("in vain"); });
    } catch (const std::runtime_error &error) {
      text += std::string(", ") + error.what();
    }
    co_return text;
  };
  fail_unless_equals_text(await(all()), "elsewhere and back, done, broken, in vain");
}
GST_END_TEST

GST_START_TEST(work_on_the_pool_keeps_nobody_waiting) {
  std::promise<void> goOn;
  std::string text;
  const auto works = [&]() -> Task<void> {
    co_await onPool([&] { goOn.get_future().wait(); });
    text += "worked";
  };
  onLoop([&] { detach(works()); });
  onLoop([&] { text += "went on, "; });
  goOn.set_value();
  await(until([&] { return text.ends_with("worked"); }));
  fail_unless_equals_text(text, "went on, worked");
}
GST_END_TEST

GST_START_TEST(an_answer_may_come_before_whoever_asks_waits_for_it) {
  const auto all = []() -> Task<int> {
    ViaCallback<int> atOnce([](auto say) { say(1); });
    const int first = co_await atOnce;
    std::thread thread;
    ViaCallback<int> elsewhere([&](auto say) { thread = std::thread([say] { say(20); }); });
    const int second = co_await elsewhere;
    thread.join();
    co_return first + second;
  };
  fail_unless_equals_int(await(all()), 21);
}
GST_END_TEST

GST_START_TEST(who_lets_others_go_comes_after_all_of_them) {
  std::string text;
  const auto writes = [&](char letter) -> Task<void> {
    for (unsigned i = 0; i < 3; ++i) {
      text += letter;
      co_await LetOthersGo{};
    }
  };
  onLoop([&] {
    detach(writes('a'));
    detach(writes('b'));
    detach(writes('c'));
  });
  await(until([&] { return text.size() == 9; }));
  fail_unless_equals_text(text, "abcabcabc");
}
GST_END_TEST

GST_START_TEST(who_lets_others_go_for_ever_keeps_neither_timers_nor_other_sources_waiting) {
  bool timed = false;
  bool other = false;
  std::optional<Loop::Timer> timer;
  onLoop([&] {
    timer.emplace(Clock::now() + 2ms, [&] { timed = true; });
    GSource *source = g_timeout_source_new(2);
    g_source_set_callback(
        source,
        [](gpointer called) -> gboolean {
          *static_cast<bool *>(called) = true;
          return G_SOURCE_REMOVE;
        },
        &other, nullptr);
    g_source_attach(source, g_main_context_get_thread_default());
    g_source_unref(source);
  });
  await(until([&] { return timed && other; }));
  onLoop([&] { timer.reset(); });
}
GST_END_TEST

static Suite *loop_suite() {
  Suite *suite = suite_create("loop");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, what_comes_bit_by_bit_is_done_by_the_same_threads);
  tcase_add_test(tests, what_comes_at_once_is_done_at_once);
  tcase_add_test(tests, what_is_posted_is_done_in_that_order);
  tcase_add_test(tests, every_thread_may_post);
  tcase_add_test(tests, timers_call_in_the_order_of_their_times);
  tcase_add_test(tests, a_timer_may_end_itself_and_others_and_make_new_ones);
  tcase_add_test(tests, a_timer_that_has_gone_does_not_call);
  tcase_add_test(tests, ten_thousand_that_sleep_are_no_source_of_their_own_and_wake_up_in_order);
  tcase_add_test(tests, ten_thousand_that_sleep_are_stopped_in_the_order_of_their_stops);
  tcase_add_test(tests, the_pool_brings_results_and_exceptions);
  tcase_add_test(tests, work_on_the_pool_keeps_nobody_waiting);
  tcase_add_test(tests, an_answer_may_come_before_whoever_asks_waits_for_it);
  tcase_add_test(tests, who_lets_others_go_comes_after_all_of_them);
  tcase_add_test(tests, who_lets_others_go_for_ever_keeps_neither_timers_nor_other_sources_waiting);
  return suite;
}

GST_CHECK_MAIN(loop)
