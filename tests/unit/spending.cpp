// SPDX-License-Identifier: LGPL-2.1-or-later
// What may be spent in a day and a month, whoever buys.
#include "ledger/spending.h"

#include <cmath>
#include <future>
#include <limits>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "ledger/ownership.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

using RowState = LedgerRow::State;

constexpr auto kling = "kling-video/v1.6/pro/text-to-video";
constexpr auto service = "https://api.aimlapi.com";

/// A moment in UTC, as milliseconds since 1970.
int64_t at(const char *time) {
  const auto zone = adopt(g_time_zone_new_utc());
  const auto moment = adopt(g_date_time_new_from_iso8601(time, zone.get()));
  return g_date_time_to_unix(moment.get()) * 1000 + g_date_time_get_microsecond(moment.get()) / 1000;
}

struct Desk {
  PrivateHome home;
  std::string folder = home.state() + "/aimlvideo";
  std::shared_ptr<Ledger> ledger = *Ledger::open(folder);
  int64_t now = at("2026-11-27T12:00:00");
  unsigned requests = 0;

  void limit(Period period, double usd, const std::string &model = {}) const {
    fail_unless(ledger->setLimit({period, model, usd}).has_value());
  }
  LedgerRow request(const std::string &model = kling) {
    LedgerRow row;
    row.identity = row.owner = "request" + std::to_string(++requests);
    row.baseUrl = service;
    row.model = model;
    return row;
  }
  Result<LedgerRow> begin(LedgerRow row, std::optional<double> usd) const {
    std::promise<Result<LedgerRow>> told;
    ledger->submitIntent(std::move(row), usd, now, [&](Result<LedgerRow> done) { told.set_value(std::move(done)); });
    return told.get_future().get();
  }
  /// One that is begun and then in a state; `billed`: as far as the service has said.
  LedgerRow bought(double usd, RowState state, std::optional<double> billed = {}) {
    auto row = begin(request(), usd);
    fail_unless(row.has_value(), "%s", row ? "" : row.error().text().c_str());
    row->state = state;
    row->usage.usd = billed;
    fail_unless(ledger->write(*row).has_value());
    return *row;
  }
  Spending spending(size_t which = 0) const { return ledger->spending(service, now)->at(which); }
  /// Why the next one is refused.
  Error refusal(double usd) {
    const size_t rows = ledger->rows()->size();
    const auto begun = begin(request(), usd);
    fail_if(begun.has_value());
    fail_unless_equals_int(ledger->rows()->size(), rows);
    fail_unless(begun.error().kind == ErrorKind::BadRequest && begun.error().roomAt != 0);
    return begun.error();
  }
  bool hasRoom(double usd) { return begin(request(), usd).has_value(); }
};

bool isNear(double one, double other) {
  return std::abs(one - other) < 1e-6;
}

} // namespace

GST_START_TEST(days_and_months_are_those_of_utc) {
  const auto expect = [](Period period, const char *moment, const char *from, const char *until) {
    const TimeSpan span = spanOf(period, at(moment));
    fail_unless(span.from == at(from) && span.until == at(until), "%s of %s", nameOf(period), moment);
  };
  expect(Period::Day, "2026-11-27T00:00:00", "2026-11-27T00:00:00", "2026-11-28T00:00:00");
  expect(Period::Day, "2026-11-27T23:59:59.999", "2026-11-27T00:00:00", "2026-11-28T00:00:00");
  expect(Period::Month, "2026-11-30T23:59:59.999", "2026-11-01T00:00:00", "2026-12-01T00:00:00");
  expect(Period::Month, "2026-12-31T23:59:59.999", "2026-12-01T00:00:00", "2027-01-01T00:00:00");
  expect(Period::Month, "2028-02-29T12:00:00", "2028-02-01T00:00:00", "2028-03-01T00:00:00");
}
GST_END_TEST

GST_START_TEST(what_counts_is_the_estimate_until_the_cost_is_known_and_nothing_for_what_is_not_billed) {
  Desk desk;
  desk.limit(Period::Day, 20);
  const auto expect = [&](double spent, double reserved) {
    const Spending now = desk.spending();
    fail_unless(isNear(now.spent, spent) && isNear(now.reserved, reserved), "%f %f", now.spent, now.reserved);
    fail_unless(isNear(now.left(), 20 - spent - reserved));
  };
  desk.bought(1, RowState::Intent);
  expect(0, 1);
  desk.bought(1, RowState::Sent);
  expect(0, 2);
  desk.bought(1, RowState::Running);
  expect(0, 3);
  desk.bought(1, RowState::Running, 1.5);
  expect(1.5, 3);
  desk.bought(1, RowState::Completed, 0.25);
  expect(1.75, 3);
  desk.bought(1, RowState::Completed); // nobody will say more
  expect(2.75, 3);
  for (const RowState free : {RowState::Failed, RowState::Moderated, RowState::NotBought})
    desk.bought(1, free);
  expect(2.75, 3);
}
GST_END_TEST

GST_START_TEST(what_would_exceed_a_limit_is_refused_and_leaves_no_trace) {
  Desk desk;
  desk.limit(Period::Day, 1);
  desk.bought(0.4, RowState::Completed, 0.3);
  const LedgerRow underWay = desk.bought(0.4, RowState::Running);
  fail_unless(desk.hasRoom(0.3)); // to the cent
  const Error error = desk.refusal(0.455);
  fail_unless_equals_text(error.text(),
                          "the purchase would exceed the limit of 1.00 USD a day: 1.00 USD are spent or reserved on "
                          "2026-11-27 (UTC), and this is estimated at 0.455 USD. Nothing was bought. There is room "
                          "again on 2026-11-28 at 00:00 UTC, or earlier, should some of the 0.70 USD that are reserved "
                          "not be billed; `aimlvideo limit` shows the limits.");
  fail_unless(error.roomAt == at("2026-11-28T00:00:00") / 1000);
  LedgerRow failed = underWay;
  failed.state = RowState::Failed;
  fail_unless(desk.ledger->write(failed).has_value());
  fail_unless(desk.hasRoom(0.4));
  desk.now = at("2026-11-28T00:00:00");
  fail_unless(desk.hasRoom(1));
  const Error never = desk.refusal(1.01);
  fail_unless_contains(never.text(), "It costs more than the limit is");
  fail_unless(never.roomAt == std::numeric_limits<int64_t>::max());
}
GST_END_TEST

GST_START_TEST(a_day_ends_and_its_month_goes_on) {
  Desk desk;
  desk.limit(Period::Day, 1);
  desk.limit(Period::Month, 1.5);
  desk.now = at("2026-11-29T23:59:59.999");
  desk.bought(1, RowState::Completed, 1);
  fail_unless_contains(desk.refusal(0.2).what, "1.00 USD a day");
  desk.now = at("2026-11-30T00:00:00");
  desk.bought(0.5, RowState::Completed, 0.5);
  const Error error = desk.refusal(0.6); // both are in the way: the one that lasts longer is told
  fail_unless_contains(error.text(), "the limit of 1.50 USD a month: 1.50 USD are spent or reserved in 2026-11 (UTC)");
  fail_unless_contains(error.text(), "There is room again on 2026-12-01 at 00:00 UTC; `aimlvideo");
  desk.now = at("2026-12-01T00:00:00");
  fail_unless(desk.hasRoom(1));
}
GST_END_TEST

GST_START_TEST(a_limit_of_a_model_holds_for_all_its_names_and_for_no_other) {
  Desk desk;
  const std::string id = "klingai/video-v3-standard-turbo-text-to-video";
  desk.limit(Period::Day, 1, id);
  fail_unless(desk.begin(desk.request("kling-video/v3/turbo/standard/text-to-video"), 0.7).has_value());
  const auto refused = desk.begin(desk.request(id), 0.7);
  fail_if(refused.has_value());
  fail_unless_contains(refused.error().what, "1.00 USD a day for " + id);
  fail_unless(desk.begin(desk.request("klingai/video-v2-6-pro-text-to-video"), 5).has_value());
  fail_unless(desk.begin(desk.request("klingai/video-v2-6-pro-text-to-video"), {}).has_value());
}
GST_END_TEST

GST_START_TEST(each_service_counts_by_itself_however_it_is_spelled) {
  Desk desk;
  desk.limit(Period::Day, 1);
  LedgerRow elsewhere = desk.request();
  elsewhere.baseUrl = "http://127.0.0.1:8099";
  fail_unless(desk.begin(elsewhere, 1).has_value());
  fail_unless(desk.spending().used() == 0);
  LedgerRow spelled = desk.request();
  spelled.baseUrl = "https://API.aimlapi.com:443";
  fail_unless(desk.begin(spelled, 1).has_value());
  desk.refusal(0.1);
}
GST_END_TEST

GST_START_TEST(what_has_no_price_is_begun_without_a_limit_only_and_0_is_a_limit) {
  Desk desk;
  fail_unless(desk.begin(desk.request(), {}).has_value());
  desk.limit(Period::Month, 0);
  const auto refused = desk.begin(desk.request(), {});
  fail_if(refused.has_value());
  fail_unless_contains(refused.error().text(), "Run it again");
  fail_unless_contains(desk.refusal(0.01).what, "0.00 USD a month");
  fail_unless(desk.hasRoom(0));
  fail_unless(desk.ledger->unsetLimits(Period::Day, {}).has_value());
  fail_unless_equals_int(desk.ledger->limits()->size(), 1);
  fail_unless(desk.ledger->unsetLimits({}, {}).has_value());
  fail_unless(desk.hasRoom(100));
}
GST_END_TEST

GST_START_TEST(the_same_request_again_is_counted_once_and_in_the_period_of_its_last_attempt) {
  Desk desk;
  desk.limit(Period::Day, 1);
  auto row = desk.begin(desk.request(), 0.8);
  row = desk.begin(*row, 0.8);
  fail_unless(row.has_value() && isNear(desk.spending().reserved, 0.8));
  desk.now = at("2026-11-28T08:00:00");
  fail_unless(desk.spending().used() == 0);
  fail_unless(desk.begin(*row, 0.9).has_value());
  fail_unless(isNear(desk.spending().reserved, 0.9));
  desk.now = at("2026-11-27T12:00:00");
  fail_unless(desk.spending().used() == 0);
}
GST_END_TEST

GST_START_TEST(what_was_bought_without_a_reservation_counts_as_far_as_its_cost_is_known) {
  Desk desk;
  desk.now = g_get_real_time() / 1000; // such rows know no other time
  for (const std::optional<double> billed : {std::optional(0.5), std::optional<double>()}) {
    LedgerRow row = desk.request();
    row.state = RowState::Completed;
    row.usage.usd = billed;
    fail_unless(desk.ledger->write(row).has_value());
  }
  LedgerRow typed; // an id that somebody else has paid for
  typed.baseUrl = service;
  typed.state = RowState::Completed;
  typed.usage.usd = 3;
  fail_unless(desk.ledger->write(typed).has_value());
  desk.limit(Period::Day, 1);
  fail_unless(isNear(desk.spending().spent, 0.5) && desk.spending().unpriced == 1);
  fail_unless_contains(desk.refusal(0.6).why, "0.50 USD");
}
GST_END_TEST

GST_START_TEST(forgetting_makes_no_room) {
  Desk desk;
  desk.limit(Period::Day, 2);
  for (const auto &[state, billed] :
       {std::pair(RowState::Completed, std::optional(0.5)), std::pair(RowState::Sent, std::optional<double>()),
        std::pair(RowState::Failed, std::optional<double>())})
    fail_unless(desk.ledger->remove(desk.bought(0.7, state, billed).id).has_value());
  fail_unless(desk.ledger->rows()->empty());
  fail_unless(isNear(desk.spending().used(), 1.2));
}
GST_END_TEST

GST_START_TEST(what_counts_apart_counts_once_whatever_its_row_says_later) {
  Desk desk;
  desk.limit(Period::Day, 2);
  LedgerRow row = desk.bought(0.7, RowState::Sent);
  fail_unless(desk.ledger->countApart(row.id).has_value());
  fail_unless(isNear(desk.spending().used(), 0.7));
  row.state = RowState::NotBought;
  fail_unless(desk.ledger->write(row).has_value());
  fail_unless(isNear(desk.spending().used(), 0.7));
}
GST_END_TEST

GST_START_TEST(what_a_killed_process_was_about_to_buy_is_given_back_and_what_a_living_one_is_stays) {
  Desk desk;
  desk.limit(Period::Day, 1);
  desk.ledger.reset();
  const auto beginIn = [&](bool dies) {
    int ready[2];
    fail_unless_equals_int(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
      desk.ledger = *Ledger::open(desk.folder);
      const LedgerRow row = desk.request();
      const auto owned = Ownership::take(desk.folder, row.owner);
      const bool begun = owned && *owned && desk.begin(row, 0.4);
      if (write(ready[1], begun ? "x" : "-", 1) != 1)
        _exit(1);
      for (;;)
        pause();
    }
    ++desk.requests; // the child's
    char byte = 0;
    fail_unless(read(ready[0], &byte, 1) == 1 && byte == 'x');
    if (dies) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    return child;
  };
  beginIn(true);
  const pid_t living = beginIn(false);
  desk.ledger = *Ledger::open(desk.folder);
  const TimeSpan month = spanOf(Period::Month, desk.now);
  fail_unless(isNear(desk.spending().reserved, 0.8));
  fail_if(*desk.ledger->releaseAbandoned(month.until));
  fail_unless(*desk.ledger->releaseAbandoned(month.from));
  fail_unless(isNear(desk.spending().reserved, 0.4));
  fail_if(*desk.ledger->releaseAbandoned(month.from));
  kill(living, SIGKILL);
  waitpid(living, nullptr, 0);
}
GST_END_TEST

namespace {

constexpr double estimate = 0.455;

/// Begins some purchases, all at once or one after the other, and says that those that have room are sent. False:
/// something else went wrong.
bool buy(Desk &desk, size_t purchases, bool atOnce) {
  std::vector<std::future<Result<LedgerRow>>> begun;
  for (size_t i = 0; i < purchases; ++i) {
    LedgerRow row = desk.request();
    row.identity = row.owner = std::to_string(getpid()) + "." + std::to_string(i);
    const auto told = std::make_shared<std::promise<Result<LedgerRow>>>();
    begun.push_back(told->get_future());
    desk.ledger->submitIntent(row, estimate, desk.now,
                              [told](Result<LedgerRow> done) { told->set_value(std::move(done)); });
    if (!atOnce)
      begun.back().wait();
  }
  for (auto &one : begun) {
    auto row = one.get();
    if (!row && row.error().roomAt == 0)
      return false;
    if (!row)
      continue;
    row->state = RowState::Sent;
    if (!desk.ledger->write(*row))
      return false;
  }
  return true;
}

} // namespace

GST_START_TEST(eight_processes_at_once_never_exceed_a_limit_and_use_all_of_it) {
  constexpr int processes = 8;
  constexpr size_t each = 12;
  constexpr size_t fit = 50;
  for (const bool atOnce : {true, false}) { // which share transactions, or have one each
    Desk desk;
    desk.limit(Period::Day, fit * estimate);
    desk.ledger.reset();
    int starter[2];
    fail_unless_equals_int(pipe(starter), 0);
    for (int process = 0; process < processes; ++process) {
      if (fork() != 0)
        continue;
      close(starter[1]);
      desk.ledger = *Ledger::open(desk.folder);
      char byte = 0;
      const bool started = read(starter[0], &byte, 1) == 0; // when the parent closes its end
      _exit(started && buy(desk, each, atOnce) ? 0 : 1);
    }
    close(starter[1]);
    close(starter[0]);
    for (int process = 0; process < processes; ++process) {
      int status = 0;
      wait(&status);
      fail_unless_equals_int(status, 0);
    }
    desk.ledger = *Ledger::open(desk.folder);
    fail_unless_equals_int(desk.ledger->rows()->size(), fit);
    fail_unless(isNear(desk.spending().used(), fit * estimate));
  }
}
GST_END_TEST

namespace {

/// A bench whose service lists its clip at a price, in USD; empty: it lists no price.
struct PricedBench : Bench {
  explicit PricedBench(const std::string &price = "0.91") {
    service.onOther = [price](const Seen &seen, Answer &answer) {
      if (price.empty() || !seen.path.starts_with("/v1/models"))
        return answer.json(404, "{}");
      answer.json(200,
                  std::string(R"({"data":[{"id":"kling-video/v1.6/pro/text-to-video","pricing":{"kind":"fixed",)") +
                      R"("units":[{"measure":"video","price":)" + price + R"(,"per":1}]}}]})");
    };
  }
  void limit(double usd) const { fail_unless(ledger()->setLimit({Period::Day, "", usd}).has_value()); }
  Spending spending() const { return ledger()->spending(settings.baseUrl, g_get_real_time() / 1000)->at(0); }
  /// Another request, of another element.
  void another() {
    ++settings.take;
    row = 0;
  }
};

} // namespace

GST_START_TEST(a_purchase_beyond_the_limit_is_an_error_and_nothing_is_sent) {
  PricedBench bench;
  bench.limit(2);
  for (int i = 0; i < 2; ++i) {
    fail_unless(bench.run().has_value());
    bench.another();
  }
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::BadRequest);
  fail_unless_contains(error.text(), "would exceed the limit of 2.00 USD a day");
  fail_unless_equals_int(bench.service.purchases(), 2);
  fail_unless_equals_int(bench.ledger()->rows()->size(), 2);
  // what is bought is had
  bench.settings.take = 0;
  bench.row = 0;
  fail_unless(bench.run().has_value());
  fail_unless(bench.status.origin == Origin::Replayed);
}
GST_END_TEST

GST_START_TEST(without_a_limit_nobody_is_asked_for_a_price_and_with_one_what_has_none_is_refused) {
  PricedBench bench("");
  fail_unless(bench.run().has_value());
  for (const std::string &request : bench.asked())
    fail_if(contains(request, "/models"), "%s", request.c_str());
  bench.limit(100);
  bench.another();
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::BadRequest);
  fail_unless_contains(error.text(), "the price is not known and a limit on spending is set");
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(what_is_not_accepted_or_fails_gives_its_room_back) {
  PricedBench bench;
  bench.limit(1);
  bench.createAnswers(422, R"({"message":"no"})");
  fail_if(bench.run().has_value());
  fail_unless(bench.spending().used() == 0);
  bench.service.onCreate = nullptr;
  bench.service.onPoll = [](const Seen &, Answer &answer) {
    answer.json(200, R"({"id":"gen/1:model","status":"error","error":{"name":"E","message":"no"}})");
  };
  fail_if(bench.run().has_value());
  fail_unless(bench.spending().used() == 0);
  bench.service.onPoll = nullptr;
  fail_unless(bench.run().has_value());
}
GST_END_TEST

GST_START_TEST(an_unknown_outcome_counts_also_when_it_is_sent_again) {
  PricedBench bench;
  bench.limit(2);
  bench.settings.timeout = 1;
  bench.service.onCreate = [](const Seen &, Answer &answer) {
    answer.drop();
  };
  fail_unless(bench.fault().kind == ErrorKind::UnknownOutcome);
  fail_unless(isNear(bench.spending().used(), 0.91));
  bench.settings.onUnknown = OnUnknown::Resubmit;
  fail_unless(bench.fault().kind == ErrorKind::UnknownOutcome);
  fail_unless_equals_int(bench.service.purchases(), 2);
  fail_unless(isNear(bench.spending().used(), 1.82));
  const Error third = bench.fault(); // has no room, and what may have been bought is still to be looked up
  fail_unless(third.kind == ErrorKind::UnknownOutcome);
  fail_unless_contains(third.text(), "would exceed the limit of 2.00 USD a day");
  fail_unless(bench.newestRow().state == RowState::Sent);
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(a_killed_process_keeps_no_room_from_the_next_one) {
  PricedBench bench;
  bench.limit(1);
  LedgerRow row;
  row.identity = row.owner = "killed";
  row.baseUrl = bench.settings.baseUrl;
  row.model = kling;
  std::promise<bool> told;
  bench.ledger()->submitIntent(row, 0.91, g_get_real_time() / 1000,
                               [&](const Result<LedgerRow> &done) { told.set_value(done.has_value()); });
  fail_unless(told.get_future().get());
  fail_unless(bench.run().has_value()); // nobody holds that lock
}
GST_END_TEST

Suite *spending_suite() {
  Suite *suite = suite_create("spending");
  TCase *tests = tcase_create("general");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, days_and_months_are_those_of_utc);
  tcase_add_test(tests, what_counts_is_the_estimate_until_the_cost_is_known_and_nothing_for_what_is_not_billed);
  tcase_add_test(tests, what_would_exceed_a_limit_is_refused_and_leaves_no_trace);
  tcase_add_test(tests, a_day_ends_and_its_month_goes_on);
  tcase_add_test(tests, a_limit_of_a_model_holds_for_all_its_names_and_for_no_other);
  tcase_add_test(tests, each_service_counts_by_itself_however_it_is_spelled);
  tcase_add_test(tests, what_has_no_price_is_begun_without_a_limit_only_and_0_is_a_limit);
  tcase_add_test(tests, the_same_request_again_is_counted_once_and_in_the_period_of_its_last_attempt);
  tcase_add_test(tests, what_was_bought_without_a_reservation_counts_as_far_as_its_cost_is_known);
  tcase_add_test(tests, forgetting_makes_no_room);
  tcase_add_test(tests, what_counts_apart_counts_once_whatever_its_row_says_later);
  tcase_add_test(tests, what_a_killed_process_was_about_to_buy_is_given_back_and_what_a_living_one_is_stays);
  tcase_add_test(tests, eight_processes_at_once_never_exceed_a_limit_and_use_all_of_it);
  tcase_add_test(tests, a_purchase_beyond_the_limit_is_an_error_and_nothing_is_sent);
  tcase_add_test(tests, without_a_limit_nobody_is_asked_for_a_price_and_with_one_what_has_none_is_refused);
  tcase_add_test(tests, what_is_not_accepted_or_fails_gives_its_room_back);
  tcase_add_test(tests, an_unknown_outcome_counts_also_when_it_is_sent_again);
  tcase_add_test(tests, a_killed_process_keeps_no_room_from_the_next_one);
  return suite;
}

GST_CHECK_MAIN(spending)
