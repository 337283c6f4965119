// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bench.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

constexpr auto created = R"({"id":"gen/1:model","status":"queued"})";

/// Expects that the outcome counts as unknown, that nothing was sent twice, and that the error leads on.
void expectUnknown(Bench &bench, const char *name) {
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::UnknownOutcome, "%s: %s", name, error.text().c_str());
  fail_unless_equals_int(bench.service.purchases(), 1);
  fail_unless_equals_int(bench.service.polls(), 0);
  fail_unless(bench.newestRow().state == LedgerRow::State::Sent, "%s", name);
  fail_unless_equals_text(error.clientRequestId, clientRequestIds(bench)[0]);
  fail_unless_contains(error.text(), error.clientRequestId);
  fail_unless_contains(error.text(), "/v2/logs");
}

} // namespace

GST_START_TEST(an_answer_that_leaves_it_open_is_not_bought_again) {
  for (const unsigned code : {303U, 304U, 408U, 500U, 501U, 502U, 504U, 520U}) {
    Bench bench;
    bench.createAnswers(code, R"({"message":"Generation timeout"})");
    expectUnknown(bench, std::to_string(code).c_str());
  }
}
GST_END_TEST

GST_START_TEST(the_error_of_an_open_outcome_says_what_the_service_said) {
  Bench bench;
  bench.createAnswers(500, R"({"message":"The model is under maintenance"})");
  const Error error = bench.fault();
  fail_unless_equals_int(error.httpStatus, 500);
  fail_unless_equals_text(error.serviceMessage, "The model is under maintenance");
  fail_unless_contains(error.text(), "under maintenance");
}
GST_END_TEST

GST_START_TEST(a_success_that_can_not_be_read_is_not_bought_again) {
  for (const char *body : {"", "<html>ok</html>", "{", "[]", "null", "{}", R"({"status":"queued"})", R"({"id":""})",
                           R"({"id":null,"status":"queued"})"}) {
    Bench bench;
    bench.createAnswers(200, body);
    expectUnknown(bench, body);
  }
  Bench bench;
  bench.createAnswers(204, "");
  expectUnknown(bench, "204");
}
GST_END_TEST

GST_START_TEST(a_success_without_a_body_may_name_its_id_in_a_header) {
  for (const char *body : {"", "<html>ok</html>", "{}"}) {
    Bench bench;
    bench.createAnswers(200, body, {{"x-inference-id", "gen/2:model"}});
    fail_unless(bench.run().has_value());
    fail_unless_equals_text(bench.newestRow().generationId, "gen/2:model");
    fail_unless_equals_int(bench.service.purchases(), 1);
  }
}
GST_END_TEST

GST_START_TEST(a_broken_connection_is_not_bought_again) {
  struct Row {
    const char *name;
    TestServer::Handler handler;
  };
  const Row rows[] = {
      {"closed",
       [](const Seen &, Answer &answer) {
         answer.drop();
       }},
      {"half a head",
       [](const Seen &, Answer &answer) {
         answer.raw("HTTP/1.1 200 OK\r\nContent-Le");
       }},
      {"half a body",
       [](const Seen &, Answer &answer) {
         answer.truncate("application/json", R"({"id":"g)", 100);
       }},
      {"no HTTP",
       [](const Seen &, Answer &answer) {
         answer.raw("SSH-2.0-OpenSSH_9.2\r\n\r\n");
       }},
      {"endless",
       [](const Seen &, Answer &answer) {
         answer.send(200, "application/json", std::string((4 << 20) + 1, ' '));
       }},
  };
  for (const Row &row : rows) {
    Bench bench;
    bench.service.onCreate = row.handler;
    expectUnknown(bench, row.name);
  }
}
GST_END_TEST

GST_START_TEST(a_submission_that_is_never_answered_is_not_bought_again) {
  Bench held;
  held.patience.submission = 1s;
  held.service.onCreate = [](const Seen &, Answer &answer) {
    answer.hold();
  };
  expectUnknown(held, "held");

  Bench dripping;
  dripping.patience.submission = 1s;
  dripping.service.onCreate = [](const Seen &, Answer &answer) {
    answer.drip("application/json", 100'000);
  };
  expectUnknown(dripping, "dripping");

  Bench silent;
  silent.patience.idleConnection = 1;
  silent.service.onCreate = [](const Seen &, Answer &answer) {
    answer.hold();
  };
  expectUnknown(silent, "silent");
}
GST_END_TEST

/// libsoup itself repeats a request when a kept connection turns out to be closed, unless it is a POST.
GST_START_TEST(a_kept_connection_that_breaks_is_not_bought_again) {
  Bench bench;
  bench.service.onCreate = [&](const Seen &, Answer &answer) {
    if (bench.service.purchases() == 1)
      answer.json(429, "{}");
    else
      answer.drop();
  };
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::UnknownOutcome);
  fail_unless_equals_int(bench.service.purchases(), 2);
  fail_unless_equals_text(error.clientRequestId, clientRequestIds(bench)[1]);
}
GST_END_TEST

GST_START_TEST(a_stop_during_the_submission_is_no_error_and_keeps_what_was_sent) {
  Bench bench;
  bench.service.onCreate = [](const Seen &, Answer &answer) {
    answer.hold();
  };
  std::thread stopper([&] {
    bench.service.server.waitUntilHolding();
    bench.cancellation.cancel();
  });
  fail_unless(bench.fault().kind == ErrorKind::Cancelled);
  stopper.join();
  fail_unless(bench.states.back() == State::Cancelled);
  fail_unless(bench.newestRow().state == LedgerRow::State::Sent);
}
GST_END_TEST

GST_START_TEST(a_stop_between_two_submissions_buys_nothing) {
  Bench bench;
  bench.patience.turnedAway = {20s, 20s, 5};
  bench.createAnswers(429, "{}");
  std::thread stopper([&] {
    bench.service.server.waitFor("POST", "/");
    while (bench.newestRow().state != LedgerRow::State::Intent) // the answer has arrived once it is that again
      std::this_thread::yield();
    bench.cancellation.cancel();
  });
  fail_unless(bench.fault().kind == ErrorKind::Cancelled);
  stopper.join();
  fail_unless_equals_int(bench.service.purchases(), 1);
  fail_unless(bench.newestRow().state == LedgerRow::State::Intent);
}
GST_END_TEST

/// The ledger must say `Sent`, and what was sent, before the service can have seen anything.
GST_START_TEST(the_ledger_knows_before_the_money_may_be_spent) {
  Bench bench;
  LedgerRow whenSeen;
  bench.service.onCreate = [&](const Seen &seen, Answer &answer) {
    whenSeen = bench.newestRow();
    fail_unless_equals_text(whenSeen.clientRequestId, seen.header("X-Client-Request-Id"));
    answer.json(200, created);
  };
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    fail_unless(bench.newestRow().state == LedgerRow::State::Running);
    answer.json(200, bench.service.completedReply("gen/1:model"));
  };
  fail_unless(bench.run().has_value());
  fail_unless(whenSeen.state == LedgerRow::State::Sent);
  fail_unless(bench.newestRow().state == LedgerRow::State::Completed);
}
GST_END_TEST

static TCase *outcomes() {
  TCase *tests = tcase_create("outcomes");
  tcase_add_test(tests, an_answer_that_leaves_it_open_is_not_bought_again);
  tcase_add_test(tests, the_error_of_an_open_outcome_says_what_the_service_said);
  tcase_add_test(tests, a_success_that_can_not_be_read_is_not_bought_again);
  tcase_add_test(tests, a_success_without_a_body_may_name_its_id_in_a_header);
  tcase_add_test(tests, a_broken_connection_is_not_bought_again);
  tcase_add_test(tests, a_submission_that_is_never_answered_is_not_bought_again);
  tcase_add_test(tests, a_kept_connection_that_breaks_is_not_bought_again);
  tcase_add_test(tests, a_stop_during_the_submission_is_no_error_and_keeps_what_was_sent);
  tcase_add_test(tests, a_stop_between_two_submissions_buys_nothing);
  tcase_add_test(tests, the_ledger_knows_before_the_money_may_be_spent);
  return tests;
}

static Suite *unknown_outcome_suite() {
  Suite *suite = suite_create("unknown outcome");
  suite_add_tcase(suite, outcomes());
  return suite;
}

GST_CHECK_MAIN(unknown_outcome)
