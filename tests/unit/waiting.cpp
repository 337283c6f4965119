// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bench.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

constexpr auto pending = R"({"id":"gen/1:model","status":"generating"})";

struct Fault {
  const char *name;
  TestServer::Handler handler;
};

TestServer::Handler answering(unsigned code, const char *type, const char *body) {
  return [=](const Seen &, Answer &answer) {
    answer.send(code, type, body);
  };
}

/// What may happen to a poll of a generation that is paid for.
const Fault pollFaults[] = {
    {"500", answering(500, "application/json", R"({"message":"Internal server error"})")},
    {"502", answering(502, "text/html", "<html>Bad Gateway</html>")},
    {"503", answering(503, "text/plain", "")},
    {"504", answering(504, "application/json", R"({"message":"Generation timeout"})")},
    {"408", answering(408, "text/plain", "")},
    {"429", answering(429, "application/json", R"({"message":"Too Many Requests"})")},
    {"404", answering(404, "application/json", R"({"message":"Not Found"})")},
    {"400", answering(400, "application/json", R"({"message":"Bad Request"})")},
    {"a page", answering(200, "text/html", "<html>one moment, please</html>")},
    {"nothing", answering(200, "application/json", "")},
    {"no content", answering(204, "application/json", "")},
    {"half of JSON", answering(200, "application/json", R"({"id":"gen/1:model","status":"comp)")},
    {"an array", answering(200, "application/json", "[]")},
    {"null", answering(200, "application/json", "null")},
    {"no UTF-8", answering(200, "application/json", "{\"status\":\"\xff\"}")},
    {"reset",
     [](const Seen &, Answer &answer) {
       answer.drop();
     }},
    {"half a head",
     [](const Seen &, Answer &answer) {
       answer.raw("HTTP/1.1 200 OK\r\nConte");
     }},
    {"half a body",
     [](const Seen &, Answer &answer) {
       answer.truncate("application/json", "{\"id\":", 100);
     }},
    {"no HTTP",
     [](const Seen &, Answer &answer) {
       answer.raw("SSH-2.0-OpenSSH_9.2\r\n\r\n");
     }},
    {"megabytes",
     [](const Seen &, Answer &answer) {
       answer.send(200, "application/json", std::string((4 << 20) + 1, ' '));
     }},
};

/// Answers the first polls like this and the later ones with the clip.
void firstPollsAnswer(Bench &bench, size_t number, const TestServer::Handler &handler) {
  bench.service.onPoll = [&bench, number, handler](const Seen &seen, Answer &answer) {
    if (bench.service.polls() <= number)
      handler(seen, answer);
    else
      answer.json(200, bench.service.completedReply("gen/1:model"));
  };
}

void pollsAnswer(Bench &bench, unsigned code, const std::string &body) {
  bench.service.onPoll = [=](const Seen &, Answer &answer) {
    answer.json(code, body);
  };
}

/// Expects the error of a generation that is paid for: it says how to fetch it.
void expectResumable(const Error &error) {
  fail_unless_equals_text(error.generationId, "gen/1:model");
  fail_unless_contains(error.text(), "generation-id=gen/1:model");
}

} // namespace

GST_START_TEST(faults_of_polls_are_ridden_out) {
  for (const Fault &fault : pollFaults) {
    Bench bench;
    bench.fetchOnly();
    bench.settings.endpoint = EndpointChoice::Universal;
    firstPollsAnswer(bench, 3, fault.handler);
    const auto clip = bench.run();
    fail_unless(clip.has_value(), "%s: %s", fault.name, clip ? "" : clip.error().text().c_str());
    fail_unless(contentsOf(**clip) == bench.service.clip);
    fail_unless_equals_int(bench.service.polls(), 4);
    fail_unless_equals_int(bench.status.retries, 3);
    fail_unless_equals_int(bench.service.purchases(), 0);
  }
}
GST_END_TEST

GST_START_TEST(faults_of_polls_never_buy_again) {
  Bench bench;
  size_t number = 0;
  bench.service.onPoll = [&](const Seen &seen, Answer &answer) {
    if (number < std::size(pollFaults))
      pollFaults[number++].handler(seen, answer);
    else
      answer.json(200, bench.service.completedReply("gen/1:model"));
  };
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.polls(), std::size(pollFaults) + 1);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_poll_that_is_never_answered_is_made_again) {
  for (const bool dripping : {false, true}) {
    Bench bench;
    bench.fetchOnly();
    bench.patience.poll = 1s;
    firstPollsAnswer(bench, 1, [dripping](const Seen &, Answer &answer) {
      if (dripping)
        answer.drip("application/json", 100'000);
      else
        answer.hold();
    });
    fail_unless(bench.run().has_value());
    fail_unless_equals_int(bench.service.polls(), 2);
  }
}
GST_END_TEST

GST_START_TEST(polls_that_fail_to_the_end_end_at_the_deadline) {
  Bench bench;
  bench.settings.timeout = 3;
  bench.patience.polls = {50ms, 50ms, 0};
  pollsAnswer(bench, 500, R"({"message":"the model is under maintenance"})");
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::TimedOut);
  fail_unless_contains(error.text(), "the model is under maintenance");
  expectResumable(error);
  fail_unless(bench.service.polls() > 2);
  fail_unless_equals_int(bench.service.purchases(), 1);
  fail_unless(!bench.boughtNothing());
}
GST_END_TEST

GST_START_TEST(a_poll_that_is_held_ends_at_the_deadline) {
  Bench bench;
  bench.settings.timeout = 3;
  bench.service.onPoll = [](const Seen &, Answer &answer) {
    answer.hold();
  };
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::TimedOut);
  expectResumable(error);
  fail_unless(bench.service.server.holding());
}
GST_END_TEST

GST_START_TEST(an_unknown_or_missing_status_is_waited_for) {
  for (const char *body : {R"({"id":"gen/1:model","status":"pondering"})", R"({"id":"gen/1:model"})",
                           R"({"status":null})", R"({"status":7})", "{}"}) {
    Bench bench;
    bench.fetchOnly();
    firstPollsAnswer(bench, 2, answering(200, "application/json", body));
    fail_unless(bench.run().has_value(), "%s", body);
    fail_unless_equals_int(bench.service.polls(), 3);
  }
}
GST_END_TEST

GST_START_TEST(the_deadline_is_the_users_and_long_enough_by_default) {
  fail_unless(Settings().timeout >= 1200);
  Bench bench;
  bench.settings.timeout = 3;
  pollsAnswer(bench, 200, pending);
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::TimedOut);
  fail_unless_contains(error.text(), "after 3 s");
  expectResumable(error);
}
GST_END_TEST

GST_START_TEST(the_interval_of_polls_is_the_users) {
  Bench bench;
  bench.settings.pollInterval = 300;
  std::vector<Clock::time_point> arrivals;
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    arrivals.push_back(Clock::now());
    answer.json(200, arrivals.size() < 3 ? pending : bench.service.completedReply("gen/1:model"));
  };
  fail_unless(bench.run().has_value());
  for (size_t i = 1; i < arrivals.size(); ++i)
    fail_unless(arrivals[i] - arrivals[i - 1] >= 250ms); // measured where the requests arrive
}
GST_END_TEST

GST_START_TEST(an_id_that_the_service_does_not_know_is_given_up_after_some_polls) {
  for (const unsigned code : {400U, 404U}) {
    Bench bench;
    bench.fetchOnly("no-such-id");
    pollsAnswer(bench, code, R"({"message":"no such generation"})");
    const Error error = bench.fault();
    fail_unless(error.kind == ErrorKind::NotFound);
    fail_unless_contains(error.text(), "no-such-id");
    fail_unless_equals_int(error.httpStatus, code);
    fail_unless_equals_int(bench.service.polls(), bench.patience.unknownIdAnswers);
  }
}
GST_END_TEST

/// An unknown id that was typed is no purchase, and the next run asks again.
GST_START_TEST(a_given_id_that_is_not_known_is_not_called_paid_for) {
  Bench bench;
  bench.fetchOnly("no-such-id");
  pollsAnswer(bench, 404, R"({"message":"Generation not found","statusCode":404})");
  for (int runs = 0; runs < 2; ++runs) {
    const Error error = bench.fault();
    fail_unless(error.kind == ErrorKind::NotFound);
    fail_if(contains(error.text(), "paid for"), "%s", error.text().c_str());
    fail_unless(bench.boughtNothing());
  }
  bench.settings.timeout = 1;
  pollsAnswer(bench, 404, "<html>not here</html>");
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::TimedOut);
  fail_if(contains(error.text(), "paid for"), "%s", error.text().c_str());
  fail_unless_contains(error.text(), "generation-id=no-such-id");
}
GST_END_TEST

/// What a gateway, another service or a moment's confusion says of a generation that is paid for.
GST_START_TEST(only_the_services_own_word_over_a_while_loses_what_is_bought) {
  constexpr auto word = R"({"message":"Generation not found","statusCode":404})";
  const Fault faults[] = {
      {"a page", answering(404, "text/html", "<html><h1>404 Not Found</h1>generation not found</html>")},
      {"a page with 400", answering(400, "text/html", "<html>Bad Request</html>")},
      {"nothing", answering(404, "text/plain", "")},
      {"another JSON", answering(404, "application/json", R"({"message":"Not Found","statusCode":404})")},
      {"an array", answering(404, "application/json", R"(["generation not found"])")},
      {"an unknown path", answering(404, "application/json", R"({"message":"Cannot GET /v2/video/generations"})")},
      {"an unknown path, as the framework says it",
       answering(404, "application/json",
                 R"({"message":"Cannot GET /v2/video/generations?id=1","error":"Not Found","statusCode":404})")},
      {"another status", answering(404, "application/json", R"({"message":"Generation not found","statusCode":502})")},
      {"410", answering(410, "application/json", word)},
      {"a word that breaks off",
       [n = 0](const Seen &, Answer &answer) mutable {
         if (++n % 4 == 0)
           answer.json(503, "{}");
         else
           answer.json(404, word);
       }},
  };
  for (const Fault &fault : faults) {
    Bench bench;
    firstPollsAnswer(bench, 40, fault.handler);
    const auto clip = bench.run();
    fail_unless(clip.has_value(), "%s: %s", fault.name, clip ? "" : clip.error().text().c_str());
    fail_unless_equals_int(bench.service.purchases(), 1);
  }
  Bench restarted;
  restarted.patience.unknownIdSpan = 1h;
  firstPollsAnswer(restarted, 40, answering(404, "application/json", word));
  fail_unless(restarted.run().has_value());
  fail_unless(Patience().unknownIdSpan >= 3min && Patience().unknownIdAnswers >= 5);
}
GST_END_TEST

GST_START_TEST(a_given_id_is_looked_for_in_both_families) {
  Bench bench;
  bench.fetchOnly();
  bench.service.onPoll = [&](const Seen &seen, Answer &answer) {
    if (seen.path == universalPath)
      answer.json(404, R"({"message":"no such generation"})");
    else
      answer.json(200, bench.service.completedReply("gen/1:model"));
  };
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.polls(), 2);
}
GST_END_TEST

GST_START_TEST(a_refused_key_ends_the_wait_and_keeps_the_generation) {
  for (const unsigned code : {401U, 403U}) {
    Bench bench;
    pollsAnswer(bench, code, R"({"message":"This request requires a valid API key"})");
    const Error error = bench.fault();
    fail_unless(error.kind == ErrorKind::NotAuthorized);
    expectResumable(error);
    fail_unless_equals_int(bench.service.polls(), 1);
    fail_unless(!bench.boughtNothing());
  }
}
GST_END_TEST

GST_START_TEST(a_redirected_poll_is_not_followed) {
  const TestServer elsewhere([](const Seen &, Answer &answer) { answer.json(200, "{}"); });
  Bench bench;
  bench.settings.timeout = 3;
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    answer.header("Location", elsewhere.url());
    answer.json(302, "");
  };
  const Error error = bench.fault();
  fail_unless_contains(error.text(), elsewhere.url());
  fail_unless_equals_int(elsewhere.requests().size(), 0);
  expectResumable(error);
}
GST_END_TEST

GST_START_TEST(a_busy_service_is_polled_when_it_wants) {
  Bench bench;
  bench.fetchOnly();
  std::vector<Clock::time_point> arrivals;
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    arrivals.push_back(Clock::now());
    answer.header("Retry-After", "1");
    if (arrivals.size() == 1)
      answer.json(429, "{}");
    else
      answer.json(200, bench.service.completedReply("gen/1:model"));
  };
  fail_unless(bench.run().has_value());
  fail_unless(arrivals.size() == 2 && arrivals[1] - arrivals[0] >= 1s);
}
GST_END_TEST

GST_START_TEST(a_failed_generation_says_why_and_may_be_bought_again) {
  Bench bench;
  pollsAnswer(bench, 200, R"({"id":"gen/1:model","status":"failed","error":{"name":"E","message":"no luck"}})");
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::GenerationFailed);
  fail_unless_contains(error.text(), "no luck");
  fail_unless_contains(error.text(), "not billed");
  fail_unless_equals_text(error.generationId, "gen/1:model");
  fail_unless(bench.boughtNothing());
  fail_unless(bench.states.back() == State::Failed);
  fail_unless(!bench.run().has_value());
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(the_status_decides_whatever_error_is_beside_it) {
  Bench bench;
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    answer.json(200,
                R"({"id":"x","status":"completed","error":{"name":"placeholder","message":"none"},"video":{"url":")" +
                    bench.service.clipUrl() + R"("}})");
  };
  fail_unless(bench.run().has_value());
}
GST_END_TEST

GST_START_TEST(a_clip_of_any_shape_is_fetched) {
  const std::pair<const char *, const char *> shapes[] = {
      {R"({"url":")", R"("})"},
      {R"({"content_type":"video/mp4","file_size":1,"duration":5,"url":")", R"("})"},
      {R"([{"url":")", R"("}])"},
      {R"([")", R"("])"},
  };
  for (const auto &[before, after] : shapes) {
    Bench bench;
    bench.fetchOnly();
    bench.service.onPoll = [&](const Seen &, Answer &answer) {
      answer.json(200, R"({"id":"x","status":"completed","video":)" + (before + bench.service.clipUrl()) + after + "}");
    };
    fail_unless(bench.run().has_value(), "%s", before);
  }
}
GST_END_TEST

GST_START_TEST(a_completed_generation_without_a_clip_is_asked_again_and_then_an_error) {
  Bench bench;
  bench.fetchOnly();
  firstPollsAnswer(bench, 2, answering(200, "application/json", R"({"id":"x","status":"completed","video":null})"));
  fail_unless(bench.run().has_value());

  Bench never;
  pollsAnswer(never, 200, R"({"id":"gen/1:model","status":"completed"})");
  const Error error = never.fault();
  fail_unless(error.kind == ErrorKind::BadAnswer);
  fail_unless_contains(error.text(), "without a clip");
  expectResumable(error);
  fail_unless_equals_int(never.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_stop_ends_the_wait_and_keeps_the_generation) {
  Bench bench;
  bench.settings.pollInterval = 20'000;
  bench.onState = [&](const Status &status) {
    if (status.state == State::Queued)
      bench.cancellation.cancel();
  };
  fail_unless(bench.fault().kind == ErrorKind::Cancelled);
  fail_unless_equals_int(bench.service.polls(), 0);
  fail_unless(!bench.boughtNothing());
}
GST_END_TEST

static TCase *faults() {
  TCase *tests = tcase_create("faults");
  tcase_add_test(tests, faults_of_polls_are_ridden_out);
  tcase_add_test(tests, faults_of_polls_never_buy_again);
  tcase_add_test(tests, a_poll_that_is_never_answered_is_made_again);
  tcase_add_test(tests, polls_that_fail_to_the_end_end_at_the_deadline);
  tcase_add_test(tests, a_poll_that_is_held_ends_at_the_deadline);
  tcase_add_test(tests, an_id_that_the_service_does_not_know_is_given_up_after_some_polls);
  tcase_add_test(tests, a_given_id_that_is_not_known_is_not_called_paid_for);
  tcase_add_test(tests, only_the_services_own_word_over_a_while_loses_what_is_bought);
  tcase_add_test(tests, a_given_id_is_looked_for_in_both_families);
  tcase_add_test(tests, a_refused_key_ends_the_wait_and_keeps_the_generation);
  tcase_add_test(tests, a_redirected_poll_is_not_followed);
  tcase_add_test(tests, a_busy_service_is_polled_when_it_wants);
  return tests;
}

static TCase *outcomes() {
  TCase *tests = tcase_create("outcomes");
  tcase_add_test(tests, an_unknown_or_missing_status_is_waited_for);
  tcase_add_test(tests, the_deadline_is_the_users_and_long_enough_by_default);
  tcase_add_test(tests, the_interval_of_polls_is_the_users);
  tcase_add_test(tests, a_failed_generation_says_why_and_may_be_bought_again);
  tcase_add_test(tests, the_status_decides_whatever_error_is_beside_it);
  tcase_add_test(tests, a_clip_of_any_shape_is_fetched);
  tcase_add_test(tests, a_completed_generation_without_a_clip_is_asked_again_and_then_an_error);
  tcase_add_test(tests, a_stop_ends_the_wait_and_keeps_the_generation);
  return tests;
}

static Suite *waiting_suite() {
  Suite *suite = suite_create("waiting");
  suite_add_tcase(suite, faults());
  suite_add_tcase(suite, outcomes());
  return suite;
}

GST_CHECK_MAIN(waiting)
