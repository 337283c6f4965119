// SPDX-License-Identifier: LGPL-2.1-or-later
#include <optional>
#include <set>

#include "bench.h"
#include "certificate.h"
#include "raw_server.h"
#include "service/verdict.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

constexpr auto created = R"({"id":"gen/1:model","status":"queued"})";

/// Expects one submission, a refusal of that kind that says `part`, and nothing bought.
void expectRefused(unsigned code, const std::string &body, ErrorKind kind, std::string_view part) {
  Bench bench;
  bench.createAnswers(code, body);
  const Error error = bench.fault();
  fail_unless(error.kind == kind, "%u: %s", code, error.text().c_str());
  fail_unless_contains(error.text(), part);
  fail_unless_equals_int(error.httpStatus, code);
  fail_unless_equals_int(bench.service.purchases(), 1);
  fail_unless_equals_int(bench.service.polls(), 0);
  fail_unless(bench.boughtNothing(), "%u", code);
}

/// Answers the first submissions like this and the later ones well.
void firstCreatesAnswer(Bench &bench, unsigned number, const TestServer::Handler &handler) {
  bench.service.onCreate = [&bench, number, handler](const Seen &seen, Answer &answer) {
    if (bench.service.purchases() <= number)
      handler(seen, answer);
    else
      answer.json(200, created);
  };
}

} // namespace

GST_START_TEST(a_submission_names_itself_by_a_random_id) {
  std::set<std::string> ids;
  for (unsigned i = 0; i < 2; ++i) {
    Bench bench;
    firstCreatesAnswer(bench, 2, [](const Seen &, Answer &answer) { answer.json(429, "{}"); });
    fail_unless(bench.run().has_value());
    fail_unless_equals_int(bench.service.purchases(), 3);
    for (const std::string &id : clientRequestIds(bench)) {
      fail_unless(
          g_regex_match_simple("^[A-Za-z0-9._:-]{16,128}$", id.c_str(), GRegexCompileFlags(0), GRegexMatchFlags(0)),
          "%s", id.c_str());
      ids.insert(id);
    }
    fail_unless_equals_text(bench.status.clientRequestId, clientRequestIds(bench).back());
  }
  fail_unless_equals_int(ids.size(), 6); // one for each attempt, the same request or not
}
GST_END_TEST

GST_START_TEST(a_request_that_is_refused_is_not_repeated) {
  expectRefused(400, R"({"message":"Invalid enum value. Expected '5' | '10', received '7'"})", ErrorKind::BadRequest,
                "Expected '5' | '10'");
  expectRefused(405, "", ErrorKind::BadRequest, "405");
  expectRefused(409, "{}", ErrorKind::BadRequest, "409");
  expectRefused(415, "{}", ErrorKind::BadRequest, "415");
  expectRefused(422, R"({"error":{"message":"no face"}})", ErrorKind::BadRequest, "no face");
  expectRefused(401, R"({"message":"This request requires a valid API key"})", ErrorKind::NotAuthorized, "API key");
  expectRefused(404, R"({"message":"Model not found"})", ErrorKind::NotFound, "Model not found");
}
GST_END_TEST

GST_START_TEST(an_error_in_any_form_is_told) {
  expectRefused(400, R"({"message":"no such model","path":"/v2","requestId":"r","statusCode":"400"})",
                ErrorKind::BadRequest, "no such model");
  expectRefused(400, "Body validation error\nInvalid enum value", ErrorKind::BadRequest,
                "Body validation error Invalid enum value");
  expectRefused(400, "", ErrorKind::BadRequest, "HTTP status 400");
  expectRefused(400, "<html><body>Bad Request</body></html>", ErrorKind::BadRequest, "Bad Request");
  expectRefused(400, R"({"title":"Unusable","status":400})", ErrorKind::BadRequest, "Unusable");
}
GST_END_TEST

GST_START_TEST(no_money_is_told_from_no_permission) {
  expectRefused(403, R"({"message":"You've run out of credits. Please top up"})", ErrorKind::NotAuthorized,
                "for lack of funds");
  expectRefused(403, R"({"message":"You've run out of funds"})", ErrorKind::NotAuthorized, "for lack of funds");
  expectRefused(
      403,
      R"({"name":"ForbiddenException","message":"Complete verification to using the API","data":{"kind":"err_unverified_card"}})",
      ErrorKind::NotAuthorized, "Complete verification");
  expectRefused(402, "{}", ErrorKind::NotAuthorized, "for lack of funds");
  expectRefused(403, R"({"message":"Forbidden"})", ErrorKind::NotAuthorized, "refuses the request");
}
GST_END_TEST

GST_START_TEST(a_misdirected_submission_is_sent_again_under_another_name) {
  Bench bench;
  firstCreatesAnswer(bench, 2, [](const Seen &, Answer &answer) { answer.json(421, "{}"); });
  fail_unless(bench.run().has_value());
  const auto ids = clientRequestIds(bench);
  fail_unless_equals_int(ids.size(), 3);
  fail_unless_equals_int(std::set<std::string>(ids.begin(), ids.end()).size(), 3);
  for (const Seen &seen : bench.service.server.requests())
    fail_unless(seen.method != "POST" || contains(seen.body, "Mona Lisa")); // never an empty body
  fail_unless_equals_int(bench.status.retries, 2);
}
GST_END_TEST

GST_START_TEST(what_the_host_has_surely_not_taken_may_be_sent_again) {
  using Cause = TransportError::Cause;
  const auto verdictOf = [](Cause cause, bool sent) {
    return verdictOn(tl::unexpected(TransportError{cause, sent, "why"}));
  };
  fail_unless(verdictOf(Cause::Declined, false) == Verdict::TurnedAway);
  fail_unless(verdictOf(Cause::Lost, true) == Verdict::Unknown);
}
GST_END_TEST

GST_START_TEST(the_services_name_for_the_request_is_told_and_kept) {
  for (const unsigned code : {400U, 500U}) {
    Bench inBody;
    inBody.createAnswers(code, R"({"message":"no","requestId":"req-1"})", {{"x-request-id", "req-2"}});
    const Error error = inBody.fault();
    fail_unless_equals_text(error.requestId, "req-1");
    fail_unless_contains(error.text(), "req-1");
    fail_unless_equals_text(inBody.newestRow().requestId, "req-1");
  }
  Bench accepted;
  accepted.createAnswers(200, created, {{"x-request-id", "req-2"}});
  accepted.service.onPoll = [](const Seen &, Answer &answer) {
    answer.json(200, R"({"id":"gen/1:model","status":"failed","error":"no luck"})");
  };
  fail_unless_equals_text(accepted.fault().requestId, "req-2");
  fail_unless_equals_text(accepted.newestRow().requestId, "req-2");
  Bench odd;
  odd.createAnswers(400, R"({"message":"no","requestId":"a\u001b[2Jb"})");
  fail_unless_equals_text(odd.fault().requestId, "");
}
GST_END_TEST

GST_START_TEST(a_service_that_is_busy_is_asked_again_without_being_told_when) {
  for (const unsigned code : {429U, 503U}) {
    Bench bench;
    firstCreatesAnswer(
        bench, 2, [code](const Seen &, Answer &answer) { answer.json(code, R"({"message":"Too Many Requests"})"); });
    fail_unless(bench.run().has_value());
    fail_unless_equals_int(bench.service.purchases(), 3);
    fail_unless_equals_int(bench.status.retries, 2);
    fail_unless_contains(bench.notes[0], "Too Many Requests");
  }
}
GST_END_TEST

GST_START_TEST(a_service_that_stays_busy_is_given_up) {
  for (const unsigned code : {421U, 429U, 503U}) {
    Bench bench;
    bench.createAnswers(code, R"({"message":"Free-tier limit"})");
    const Error error = bench.fault();
    fail_unless(error.kind == ErrorKind::Busy);
    fail_unless_contains(error.text(), code == 421 ? "421" : "Free-tier limit");
    fail_unless_equals_int(bench.service.purchases(), bench.patience.turnedAway.attempts);
    fail_unless(bench.boughtNothing());
  }
}
GST_END_TEST

GST_START_TEST(a_request_that_is_found_too_large_is_tried_once_more) {
  Bench bench;
  bench.createAnswers(413, "<html>Request Entity Too Large</html>");
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::BadRequest);
  fail_unless_contains(error.text(), "too large");
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(a_busy_service_is_not_asked_earlier_than_it_wants) {
  Bench bench;
  bench.settings.timeout = 3000;
  bench.createAnswers(429, "{}", {{"Retry-After", "3600"}});
  const Error error = bench.fault(); // the deadline comes first, so there is nothing to wait for
  fail_unless(error.kind == ErrorKind::Busy);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_busy_services_wish_is_followed) {
  Bench bench;
  std::vector<Clock::time_point> arrivals;
  bench.service.onCreate = [&](const Seen &, Answer &answer) {
    arrivals.push_back(Clock::now());
    answer.header("Retry-After", "1");
    if (arrivals.size() == 1)
      answer.json(503, "{}");
    else
      answer.json(200, created);
  };
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(arrivals.size(), 2);
  fail_unless(arrivals[1] - arrivals[0] >= 1s);
}
GST_END_TEST

GST_START_TEST(without_a_connection_nothing_is_bought_and_it_is_tried_again) {
  Bench bench;
  bench.settings.baseUrl = deadAddress();
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::Unreachable);
  fail_unless_contains(error.text(), bench.settings.baseUrl);
  fail_unless_contains(error.text(), "nothing was bought");
  fail_unless_equals_int(bench.notes.size() + 1, bench.patience.unreachable.attempts);
  fail_unless(bench.boughtNothing());
}
GST_END_TEST

GST_START_TEST(a_host_that_can_not_be_trusted_is_asked_once_and_told_nothing) {
  GErrorSlot error;
  const std::string pem = std::string(selfSigned) + selfSignedKey;
  const auto certificate = adopt(g_tls_certificate_new_from_pem(pem.c_str(), -1, &error));
  const TestServer server(certificate.get(), [](const Seen &, Answer &answer) { answer.json(200, created); });
  Bench bench;
  bench.settings.baseUrl = server.url();
  const Error refused = bench.fault();
  fail_unless(refused.kind == ErrorKind::Unreachable);
  fail_unless_contains(refused.text(), "tls-database");
  fail_unless_equals_int(server.requests().size(), 0);
  fail_unless(bench.notes.empty());
}
GST_END_TEST

GST_START_TEST(a_redirected_submission_is_refused) {
  for (const unsigned code : {301U, 302U, 307U, 308U}) {
    const TestServer elsewhere([](const Seen &, Answer &answer) { answer.json(200, created); });
    Bench bench;
    bench.createAnswers(code, "", {{"Location", elsewhere.url() + universalPath}});
    const Error error = bench.fault();
    fail_unless(error.kind == ErrorKind::BadRequest);
    fail_unless_contains(error.text(), elsewhere.url());
    fail_unless_equals_int(bench.service.purchases(), 1);
    fail_unless_equals_int(elsewhere.requests().size(), 0);
    fail_unless(bench.boughtNothing());
  }
}
GST_END_TEST

GST_START_TEST(an_unknown_path_leads_to_the_other_family_and_its_polls) {
  for (const char *body : {R"({"message":"Cannot POST /v2/video/generations","error":"Not Found","statusCode":404})",
                           "<html>404</html>"}) {
    Bench bench;
    bench.service.onCreate = [body](const Seen &seen, Answer &answer) {
      if (seen.path == universalPath)
        answer.send(404, "text/html", body);
      else
        answer.json(201, created);
    };
    fail_unless(bench.run().has_value());
    const std::vector<std::string> expected{std::string("POST ") + universalPath, std::string("POST ") + legacyPath,
                                            std::string("GET ") + legacyPath + "?generation_id=gen%2F1%3Amodel",
                                            "GET " + bench.service.clipPath};
    fail_unless(bench.asked() == expected);
  }
}
GST_END_TEST

GST_START_TEST(a_family_that_was_asked_for_is_kept) {
  for (const EndpointChoice choice : {EndpointChoice::Universal, EndpointChoice::Legacy}) {
    Bench bench;
    bench.settings.endpoint = choice;
    bench.createAnswers(404, R"({"message":"Cannot POST","statusCode":404})");
    const Error error = bench.fault();
    fail_unless(error.kind == ErrorKind::NotFound);
    fail_unless_equals_int(bench.service.purchases(), 1);
    fail_unless_equals_int(bench.service.server.count("POST", universalPath), choice == EndpointChoice::Universal);
  }
}
GST_END_TEST

GST_START_TEST(a_service_that_knows_neither_path_is_asked_twice) {
  Bench bench;
  bench.createAnswers(404, "not here");
  fail_unless(bench.fault().kind == ErrorKind::NotFound);
  fail_unless_equals_int(bench.service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(a_model_that_is_not_known_does_not_lead_to_the_other_family) {
  Bench bench;
  bench.createAnswers(404, R"({"message":"Model not found","statusCode":"404"})");
  fail_unless(bench.fault().kind == ErrorKind::NotFound);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

/// Whoever is killed while the list of withdrawn models is fetched must not look a refused submission up.
GST_START_TEST(a_refusal_is_in_the_ledger_before_its_reason_is_looked_for) {
  Bench bench;
  bench.createAnswers(404, R"({"message":"Model not found","statusCode":"404"})");
  std::optional<bool> recorded;
  bench.service.onOther = [&](const Seen &, Answer &answer) {
    recorded = bench.newestRow().state == LedgerRow::State::Failed;
    answer.json(404, "{}");
  };
  fail_unless(bench.fault().kind == ErrorKind::NotFound);
  fail_unless(recorded.has_value());
  fail_unless(*recorded);
}
GST_END_TEST

GST_START_TEST(what_is_wrong_with_the_settings_is_found_before_any_request) {
  Bench bench;
  bench.settings.image = "/no/such/picture.png";
  bench.settings.model = "kling-video/v1.6/pro/image-to-video";
  fail_unless(bench.fault().kind == ErrorKind::NotFound);
  fail_unless_equals_int(bench.service.server.requests().size(), 0);
  fail_unless(bench.ledger()->rows()->empty());
}
GST_END_TEST

static TCase *refusals() {
  TCase *tests = tcase_create("refusals");
  tcase_add_test(tests, a_request_that_is_refused_is_not_repeated);
  tcase_add_test(tests, an_error_in_any_form_is_told);
  tcase_add_test(tests, no_money_is_told_from_no_permission);
  tcase_add_test(tests, a_redirected_submission_is_refused);
  tcase_add_test(tests, a_host_that_can_not_be_trusted_is_asked_once_and_told_nothing);
  tcase_add_test(tests, what_is_wrong_with_the_settings_is_found_before_any_request);
  return tests;
}

static TCase *repetitions() {
  TCase *tests = tcase_create("repetitions");
  tcase_add_test(tests, a_submission_names_itself_by_a_random_id);
  tcase_add_test(tests, a_misdirected_submission_is_sent_again_under_another_name);
  tcase_add_test(tests, what_the_host_has_surely_not_taken_may_be_sent_again);
  tcase_add_test(tests, the_services_name_for_the_request_is_told_and_kept);
  tcase_add_test(tests, a_service_that_is_busy_is_asked_again_without_being_told_when);
  tcase_add_test(tests, a_service_that_stays_busy_is_given_up);
  tcase_add_test(tests, a_request_that_is_found_too_large_is_tried_once_more);
  tcase_add_test(tests, a_busy_service_is_not_asked_earlier_than_it_wants);
  tcase_add_test(tests, a_busy_services_wish_is_followed);
  tcase_add_test(tests, without_a_connection_nothing_is_bought_and_it_is_tried_again);
  tcase_add_test(tests, an_unknown_path_leads_to_the_other_family_and_its_polls);
  tcase_add_test(tests, a_family_that_was_asked_for_is_kept);
  tcase_add_test(tests, a_service_that_knows_neither_path_is_asked_twice);
  tcase_add_test(tests, a_model_that_is_not_known_does_not_lead_to_the_other_family);
  tcase_add_test(tests, a_refusal_is_in_the_ledger_before_its_reason_is_looked_for);
  return tests;
}

static Suite *submission_suite() {
  Suite *suite = suite_create("submission");
  suite_add_tcase(suite, refusals());
  suite_add_tcase(suite, repetitions());
  return suite;
}

GST_CHECK_MAIN(submission)
