// SPDX-License-Identifier: LGPL-2.1-or-later
// What may be in flight at once, and who has to wait for it.
#include "generation/flight.h"

#include <algorithm>
#include <atomic>
#include <future>

#include "bench.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

constexpr auto service = "https://api.example";

/// Asks for a turn on a thread of its own.
class Passenger {
public:
  explicit Passenger(unsigned maximum, std::string at = service) {
    std::promise<void> joined;
    auto inLine = joined.get_future();
    flight_ = std::async(std::launch::async, [this, maximum, at = std::move(at), joined = std::move(joined)]() mutable {
      auto flight = await(Flight::await(at, maximum, cancellation_, [&](const Flight::Queue &queue) {
        found_ = queue;
        waited_ = true;
        joined.set_value();
      }));
      if (!waited_)
        joined.set_value();
      return flight;
    });
    inLine.get(); // so that the next one comes after it
  }
  Passenger(const Passenger &) = delete;
  Passenger &operator=(const Passenger &) = delete;

  bool waited() const { return waited_; }
  Flight::Queue found() const { return found_; }
  bool waiting() const { return flight_.wait_for(0s) == std::future_status::timeout; }
  /// Blocks until it has its turn, or was cancelled.
  std::unique_ptr<Flight> flight() { return flight_.get(); }
  void cancel() { cancellation_.cancel(); }

private:
  Cancellation cancellation_;
  std::atomic<bool> waited_ = false;
  Flight::Queue found_;
  std::future<std::unique_ptr<Flight>> flight_;
};

/// A generation that has to wait for `flight`, which it lets go when `act` has been called.
Result<std::shared_ptr<Spool>> runBehind(Bench &bench, std::unique_ptr<Flight> flight,
                                         const std::function<void()> &act) {
  bench.settings.maximumInFlight = 1;
  std::promise<void> queued;
  bench.onState = [&](const Status &status) {
    if (status.state == State::QueuedLocally)
      queued.set_value();
  };
  auto running = std::async(std::launch::async, [&bench] { return bench.run(); });
  queued.get_future().get();
  act();
  flight.reset();
  return running.get();
}

std::unique_ptr<Flight> flightAt(const Bench &bench) {
  return Flight::underWay(bench.settings.baseUrl);
}

/// The service lists the clip at a price that may change.
void priceIs(Bench &bench, const std::atomic<double> &price) {
  bench.service.onOther = [&price](const Seen &, Answer &answer) {
    answer.json(200, R"({"data":[{"id":"kling-video/v1.6/pro/text-to-video","pricing":{"kind":"fixed",)"
                     R"("units":[{"measure":"video","price":)" +
                         std::to_string(price.load()) + R"(,"per":1}]}}]})");
  };
}

} // namespace

GST_START_TEST(without_a_limit_nobody_waits) {
  Passenger first(0);
  const auto held = first.flight();
  Passenger queued(1);
  Passenger second(0);
  fail_if(first.waited());
  fail_unless(queued.waited());
  fail_if(second.waited());
  queued.cancel();
}
GST_END_TEST

GST_START_TEST(turns_are_given_in_the_order_in_which_they_were_asked_for) {
  Passenger first(1);
  auto held = first.flight();
  std::vector<std::unique_ptr<Passenger>> queue;
  for (int i = 0; i < 5; ++i)
    queue.push_back(std::make_unique<Passenger>(1));
  for (size_t i = 0; i < queue.size(); ++i) {
    fail_unless_equals_int(queue[i]->found().inFlight, 1);
    fail_unless_equals_int(queue[i]->found().before, i);
    held.reset();
    held = queue[i]->flight();
    fail_unless(held && held->maySubmit());
    for (size_t later = i + 1; later < queue.size(); ++later)
      fail_unless(queue[later]->waiting());
  }
}
GST_END_TEST

GST_START_TEST(each_waits_until_fewer_than_its_own_limit_are_in_flight) {
  std::vector<std::unique_ptr<Flight>> held;
  for (int i = 0; i < 3; ++i)
    held.push_back(Flight::underWay(service));
  Passenger roomy(4);
  auto fourth = roomy.flight();
  fail_if(roomy.waited());
  Passenger narrow(2);
  Passenger behind(4); // would have room now, and does not overtake
  fourth.reset();
  fail_unless(narrow.waiting());
  fail_unless(behind.waiting());
  held.pop_back();
  fail_unless(narrow.waiting());
  held.pop_back();
  const auto second = narrow.flight();
  const auto third = behind.flight();
  fail_unless(second && third);
}
GST_END_TEST

GST_START_TEST(one_that_is_cancelled_leaves_the_line_and_holds_nobody_up) {
  const auto held = Flight::underWay(service);
  Passenger narrow(1);
  Passenger roomy(2);
  fail_unless(roomy.waiting());
  narrow.cancel();
  fail_unless(narrow.flight() == nullptr);
  fail_unless(roomy.flight() != nullptr);
}
GST_END_TEST

GST_START_TEST(one_that_is_cancelled_as_its_turn_comes_gives_it_back) {
  for (int round = 0; round < 300; ++round) {
    auto held = Flight::underWay(service);
    Passenger cancelled(1);
    std::thread canceller([&] { cancelled.cancel(); });
    held.reset();
    auto flight = cancelled.flight();
    canceller.join();
    flight.reset();
    Passenger next(1);
    fail_if(next.waited());
  }
}
GST_END_TEST

GST_START_TEST(services_have_nothing_to_do_with_each_other) {
  const auto held = Flight::underWay(service);
  Passenger elsewhere(1, "https://gateway.example");
  fail_if(elsewhere.waited());
}
GST_END_TEST

GST_START_TEST(never_are_more_in_flight_than_the_limit_and_all_have_their_turn) {
  constexpr int limit = 3;
  std::atomic<int> inFlight = 0;
  std::atomic<int> most = 0;
  std::atomic<int> flown = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 24; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        Cancellation cancellation;
        const auto flight = await(Flight::await(service, limit, cancellation, [](const Flight::Queue &) {}));
        const int now = ++inFlight;
        for (int before = most; before < now && !most.compare_exchange_weak(before, now);) {
        }
        std::this_thread::yield();
        --inFlight;
        ++flown;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  fail_unless_equals_int(flown, 24 * 50);
  fail_unless(most <= limit);
}
GST_END_TEST

GST_START_TEST(a_generation_waits_for_its_turn_before_it_submits) {
  Bench bench;
  const auto clip = runBehind(bench, flightAt(bench), [&] {
    fail_unless_equals_int(bench.service.purchases(), 0);
    fail_unless(bench.boughtNothing());
  });
  fail_unless(clip.has_value());
  const std::vector<State> expected{State::QueuedLocally, State::Submitting, State::Queued, State::Downloading,
                                    State::Completed};
  fail_unless(bench.states == expected);
  fail_unless_contains(bench.notes.front(), "1 in flight and 0 ahead of it, max-in-flight is 1");
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_generation_that_is_stopped_in_line_has_bought_nothing) {
  Bench bench;
  const auto held = flightAt(bench);
  const auto clip = runBehind(bench, flightAt(bench), [&] { bench.cancellation.cancel(); });
  fail_unless(!clip && clip.error().kind == ErrorKind::Cancelled);
  fail_unless(bench.states.back() == State::Cancelled);
  fail_unless(bench.asked().empty());
  fail_unless(bench.boughtNothing());
}
GST_END_TEST

GST_START_TEST(a_download_is_not_in_flight_any_more) {
  Bench bench;
  bench.settings.maximumInFlight = 1;
  bench.service.onClip = [&](const Seen &, Answer &answer) {
    Passenger passenger(1, bench.settings.baseUrl);
    fail_if(passenger.waited());
    bench.service.serveClip(answer);
  };
  fail_unless(bench.run().has_value());
}
GST_END_TEST

GST_START_TEST(a_failed_generation_lets_the_next_one_go) {
  Bench bench;
  bench.settings.maximumInFlight = 1;
  bench.createAnswers(400, R"({"message":"no"})");
  fail_unless(bench.fault().kind == ErrorKind::BadRequest);
  Passenger next(1, bench.settings.baseUrl);
  fail_if(next.waited());
}
GST_END_TEST

GST_START_TEST(what_was_bought_before_waits_for_nobody_and_counts_while_the_service_is_at_work) {
  Bench bench;
  const auto held = flightAt(bench);
  bench.settings.maximumInFlight = 1;
  bench.fetchOnly();
  Flight::Queue found;
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    Passenger passenger(1, bench.settings.baseUrl);
    found = passenger.found();
    passenger.cancel();
    answer.json(200, bench.service.completedReply("gen/1:model"));
  };
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(found.inFlight, 2);
  fail_unless(std::find(bench.states.begin(), bench.states.end(), State::QueuedLocally) == bench.states.end());
}
GST_END_TEST

GST_START_TEST(what_an_earlier_run_lost_stands_in_line_when_it_has_to_be_bought_again) {
  Bench bench;
  bench.settings.timeout = 3; // enough for a submission to leave, on a busy machine too
  bench.service.onCreate = [](const Seen &, Answer &answer) {
    answer.drop();
  };
  fail_unless(bench.fault().kind == ErrorKind::UnknownOutcome);
  bench.service.onCreate = {};
  bench.service.onLogs = [&bench](const Seen &, Answer &answer) {
    answer.json(200, FakeService::logPage(FakeService::logRow(bench.service.submissionId(), "gen/1:model", "failed")));
  };
  bench.settings.timeout = 30;
  bench.states.clear();
  const auto clip = runBehind(bench, flightAt(bench), [&] { fail_unless_equals_int(bench.service.purchases(), 1); });
  fail_unless(clip.has_value());
  fail_unless(bench.states.front() == State::LookingUp);
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(what_is_too_dear_fails_before_the_line) {
  Bench bench;
  const std::atomic<double> price = 0.5;
  priceIs(bench, price);
  bench.settings.maximumCost = 0.4;
  bench.settings.maximumInFlight = 1;
  const auto held = flightAt(bench);
  fail_unless_contains(bench.fault().text(), "the price would be above max-cost");
}
GST_END_TEST

GST_START_TEST(what_became_too_dear_in_line_is_not_bought) {
  Bench bench;
  std::atomic<double> price = 0.5;
  priceIs(bench, price);
  bench.settings.maximumCost = 0.6;
  const auto clip = runBehind(bench, flightAt(bench), [&] { price = 0.7; });
  fail_unless(!clip);
  fail_unless_contains(clip.error().text(), "it is estimated at 0.70 USD");
  fail_unless_equals_int(bench.service.purchases(), 0);
}
GST_END_TEST

GST_START_TEST(the_time_in_line_does_not_count) {
  Bench bench;
  bench.settings.timeout = 3; // enough for a submission to leave, on a busy machine too
  const auto begun = Clock::now();
  const auto clip = runBehind(bench, flightAt(bench), [&] { std::this_thread::sleep_until(begun + 1200ms); });
  fail_unless(clip.has_value(), "%s", clip ? "" : clip.error().text().c_str());
  fail_unless(bench.status.queueTime > 0ms);
  fail_unless(bench.status.elapsed() - bench.status.queueTime <= bench.status.elapsed() - bench.status.queueTime + 1s);
}
GST_END_TEST

static TCase *line() {
  TCase *tests = tcase_create("line");
  tcase_add_test(tests, without_a_limit_nobody_waits);
  tcase_add_test(tests, turns_are_given_in_the_order_in_which_they_were_asked_for);
  tcase_add_test(tests, each_waits_until_fewer_than_its_own_limit_are_in_flight);
  tcase_add_test(tests, one_that_is_cancelled_leaves_the_line_and_holds_nobody_up);
  tcase_add_test(tests, one_that_is_cancelled_as_its_turn_comes_gives_it_back);
  tcase_add_test(tests, services_have_nothing_to_do_with_each_other);
  tcase_add_test(tests, never_are_more_in_flight_than_the_limit_and_all_have_their_turn);
  return tests;
}

static TCase *generations() {
  TCase *tests = tcase_create("generations");
  tcase_add_test(tests, a_generation_waits_for_its_turn_before_it_submits);
  tcase_add_test(tests, a_generation_that_is_stopped_in_line_has_bought_nothing);
  tcase_add_test(tests, a_download_is_not_in_flight_any_more);
  tcase_add_test(tests, a_failed_generation_lets_the_next_one_go);
  tcase_add_test(tests, what_was_bought_before_waits_for_nobody_and_counts_while_the_service_is_at_work);
  tcase_add_test(tests, what_an_earlier_run_lost_stands_in_line_when_it_has_to_be_bought_again);
  tcase_add_test(tests, what_is_too_dear_fails_before_the_line);
  tcase_add_test(tests, what_became_too_dear_in_line_is_not_bought);
  tcase_add_test(tests, the_time_in_line_does_not_count);
  return tests;
}

static Suite *flight_suite() {
  Suite *suite = suite_create("flight");
  suite_add_tcase(suite, line());
  suite_add_tcase(suite, generations());
  return suite;
}

GST_CHECK_MAIN(flight)
