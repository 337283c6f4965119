// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/expectation.h"

#include "bench.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

constexpr auto model = "kling-video/v1.6/pro/text-to-video";
constexpr auto pending = R"({"id":"gen/1:model","status":"generating"})";

std::vector<ObservedTime> learned(const Bench &bench) {
  return *bench.ledger()->times(bench.service.server.url(), model);
}

int64_t wallClock() {
  return Moment::now().wall.count();
}

/// A generation in the ledger that another process has submitted so long ago.
void boughtEarlier(Bench &bench, std::chrono::milliseconds ago) {
  fail_unless(bench.run().has_value());
  LedgerRow row = bench.newestRow();
  row.state = LedgerRow::State::Running;
  row.clip.clear();
  row.submitted = wallClock() - ago.count();
  fail_unless(bench.ledger()->write(row).has_value());
  bench.row = 0;
}

/// The percentages and the times left that were told, as the element tells them.
struct Told {
  std::vector<int> percents;
  std::vector<std::chrono::milliseconds> left;
};

} // namespace

GST_START_TEST(a_generation_that_was_watched_teaches_its_time) {
  Bench bench;
  bench.settings.duration = 5;
  bench.service.pollsUntilCompleted = 2;
  fail_unless(bench.run().has_value());
  const auto times = learned(bench);
  fail_unless_equals_int(times.size(), 1);
  fail_unless(times[0].kind == (JobKind{model, "5", ""}), "%s", times[0].kind.duration.c_str());
  fail_unless(times[0].seconds > 0 && times[0].seconds < 30);
  const LedgerRow row = bench.newestRow();
  fail_unless(row.submitted >= row.created && row.submitted <= wallClock());
  fail_unless_equals_text(row.duration, "5");
}
GST_END_TEST

GST_START_TEST(a_replayed_clip_teaches_nothing) {
  Bench bench;
  fail_unless(bench.run().has_value());
  bench.row = 0;
  fail_unless(bench.run().has_value());
  fail_unless(bench.status.origin == Origin::Replayed);
  fail_unless_equals_int(learned(bench).size(), 1);
}
GST_END_TEST

GST_START_TEST(a_generation_that_was_finished_when_it_was_resumed_teaches_nothing) {
  Bench bench;
  boughtEarlier(bench, 1h);
  const size_t before = learned(bench).size();
  fail_unless(bench.run().has_value());
  fail_unless(bench.status.origin == Origin::Resumed);
  fail_unless_equals_int(learned(bench).size(), before);
}
GST_END_TEST

GST_START_TEST(a_resumed_generation_that_was_seen_to_run_teaches_the_time_since_its_submission) {
  Bench bench;
  boughtEarlier(bench, 100s);
  const size_t already = bench.service.polls();
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    if (bench.service.polls() < already + 3)
      answer.json(200, pending);
    else
      answer.json(200, bench.service.completedReply("gen/1:model"));
  };
  const size_t before = learned(bench).size();
  fail_unless(bench.run().has_value());
  fail_unless(bench.status.origin == Origin::Resumed);
  const auto times = learned(bench);
  fail_unless_equals_int(times.size(), before + 1);
  fail_unless(times[0].seconds >= 100 && times[0].seconds < 130, "%f", times[0].seconds);
}
GST_END_TEST

GST_START_TEST(a_given_generation_of_unknown_age_teaches_nothing_and_is_told_no_end) {
  Bench bench;
  bench.fetchOnly();
  bench.service.pollsUntilCompleted = 2;
  bool foretold = false;
  bench.onState = [&](const Status &status) {
    foretold = foretold || status.remaining().has_value();
  };
  fail_unless(bench.run().has_value());
  fail_if(foretold);
  fail_unless(bench.ledger()->times(bench.service.server.url(), "")->empty());
}
GST_END_TEST

GST_START_TEST(a_looked_up_purchase_teaches_nothing) {
  Bench bench;
  bench.service.pollsUntilCompleted = 2;
  bench.service.onCreate = [](const Seen &, Answer &answer) {
    answer.drop();
  };
  bench.service.onLogs = [&](const Seen &, Answer &answer) {
    answer.json(200, FakeService::logPage(FakeService::logRow(bench.service.submissionId(), "gen/1:model")));
  };
  fail_unless(bench.run().has_value());
  fail_unless(bench.status.origin == Origin::LookedUp);
  fail_unless(learned(bench).empty());
}
GST_END_TEST

GST_START_TEST(a_failed_generation_teaches_nothing) {
  Bench bench;
  bench.service.onPoll = [](const Seen &, Answer &answer) {
    answer.json(200, R"({"id":"gen/1:model","status":"failed","error":"no luck"})");
  };
  fail_unless(!bench.run().has_value());
  fail_unless(learned(bench).empty());
}
GST_END_TEST

GST_START_TEST(a_fresh_link_during_the_download_teaches_nothing_more) {
  Bench bench;
  size_t links = 0;
  bench.service.onClip = [&](const Seen &, Answer &answer) {
    if (links++ == 0)
      answer.jsonAfter(1500ms, 403, "");
    else
      bench.service.serveClip(answer);
  };
  fail_unless(bench.run().has_value());
  fail_unless(links == 2 && learned(bench).size() == 1);
}
GST_END_TEST

GST_START_TEST(statistics_that_can_not_be_written_fail_no_generation) {
  Bench bench;
  const auto ledger = bench.ledger();
  const auto broken = sqlite::Database::open(ledger->folder() + "/ledger.sqlite3")
                          ->execute("DROP TABLE observed_time; CREATE TABLE observed_time (id INTEGER)");
  fail_unless(broken.has_value());
  fail_unless(bench.run().has_value());
  bool logged = false;
  for (const std::string &line : bench.logged)
    logged = logged || contains(line, "could not be recorded");
  fail_unless(logged);
}
GST_END_TEST

GST_START_TEST(the_service_says_when_it_wants_to_be_asked) {
  for (const bool atCreation : {false, true}) {
    Bench bench;
    bench.settings.pollInterval = 0;
    std::vector<Clock::time_point> moments;
    bench.service.onCreate = [&](const Seen &, Answer &answer) {
      moments.push_back(Clock::now());
      if (atCreation)
        answer.header("Retry-After", "2");
      answer.json(200, R"({"id":"gen/1:model","status":"queued"})");
    };
    bench.service.onPoll = [&](const Seen &, Answer &answer) {
      moments.push_back(Clock::now());
      if (!atCreation && moments.size() == 2) {
        answer.header("Retry-After", "2");
        answer.json(200, pending);
      } else {
        answer.json(200, bench.service.completedReply("gen/1:model"));
      }
    };
    fail_unless(bench.run().has_value());
    fail_unless(moments.back() - moments[moments.size() - 2] >= 2s);
  }
}
GST_END_TEST

GST_START_TEST(what_was_told_is_not_taken_back) {
  Bench bench;
  bench.settings.duration = 5;
  const auto ledger = bench.ledger();
  for (int i = 0; i < 20; ++i)
    fail_unless(ledger->addTime({bench.service.server.url(), {model, "5", ""}, 1, 0}).has_value());
  bench.service.pollsUntilCompleted = 12;
  Told told;
  Generation::Callbacks callbacks;
  const auto note = [&](const Status &status) {
    if (const auto percent = status.percent())
      told.percents.push_back(*percent);
    if (const auto left = status.remaining())
      told.left.push_back(*left);
  };
  callbacks.stateChanged = note;
  callbacks.progressed = [&](const Status &status, const std::string &) {
    note(status);
  };
  callbacks.claimed = [](int64_t) {
  };
  callbacks.arriving = [](const Status &, const std::shared_ptr<Spool> &) {
  };
  callbacks.log = [](LogLevel, const std::string &) {
  };
  Generation generation(bench.settings, 0, bench.cancellation, callbacks, bench.patience);
  fail_unless(await(generation.run()).has_value());
  fail_unless(told.percents.size() >= 4 && told.percents.back() == 100);
  fail_unless(std::is_sorted(told.percents.begin(), told.percents.end()));
  fail_unless(!told.left.empty() && told.left.front() < 2s);
  fail_unless(std::is_sorted(told.left.rbegin(), told.left.rend()));
}
GST_END_TEST

static Suite *expectation_suite() {
  Suite *suite = suite_create("expectation");
  TCase *learning = tcase_create("learning");
  suite_add_tcase(suite, learning);
  tcase_add_test(learning, a_generation_that_was_watched_teaches_its_time);
  tcase_add_test(learning, a_replayed_clip_teaches_nothing);
  tcase_add_test(learning, a_generation_that_was_finished_when_it_was_resumed_teaches_nothing);
  tcase_add_test(learning, a_resumed_generation_that_was_seen_to_run_teaches_the_time_since_its_submission);
  tcase_add_test(learning, a_given_generation_of_unknown_age_teaches_nothing_and_is_told_no_end);
  tcase_add_test(learning, a_looked_up_purchase_teaches_nothing);
  tcase_add_test(learning, a_failed_generation_teaches_nothing);
  tcase_add_test(learning, a_fresh_link_during_the_download_teaches_nothing_more);
  tcase_add_test(learning, statistics_that_can_not_be_written_fail_no_generation);
  TCase *telling = tcase_create("telling");
  suite_add_tcase(suite, telling);
  tcase_add_test(telling, the_service_says_when_it_wants_to_be_asked);
  tcase_add_test(telling, what_was_told_is_not_taken_back);
  return suite;
}

GST_CHECK_MAIN(expectation)
