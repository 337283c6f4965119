// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/generation.h"

#include <algorithm>
#include <numeric>

#include <glib/gstdio.h>

#include "base/json/node.h"
#include "bench.h"
#include "images.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

constexpr const char *imageModels[] = {"kling-video/v1.6/pro/image-to-video", "kling-video/v1/pro/image-to-video",
                                       "klingai/video-v2-6-pro-image-to-video"};
constexpr auto textModel = "kling-video/v1.6/pro/text-to-video";

/// The text of a member of the body that was submitted.
std::string submitted(const Bench &bench, const char *name) {
  const auto node = json::parse(bench.first("POST").body);
  fail_unless(node.has_value());
  return json::scalarText(json::member(json::objectIn(node->get()), name)).value_or("");
}

/// Runs a generation over one family and expects that everything went that way.
void expectClipOver(EndpointChoice choice, Bench &bench) {
  bench.settings.endpoint = choice;
  const char *path = choice == EndpointChoice::Legacy ? legacyPath : universalPath;
  const auto clip = bench.run();
  fail_unless(clip.has_value(), "%s: %s", bench.settings.model.c_str(), clip ? "" : clip.error().text().c_str());
  fail_unless(contentsOf(**clip) == bench.service.clip);
  const std::vector<std::string> expected{std::string("POST ") + path,
                                          std::string("GET ") + path + "?generation_id=gen%2F1%3Amodel",
                                          "GET " + bench.service.clipPath};
  fail_unless(bench.asked() == expected, "%s", bench.settings.model.c_str());
  fail_unless_equals_text(submitted(bench, "model"), bench.settings.model);
}

/// Completes each create at once, so that nothing has to be waited for.
void completeAtOnce(Bench &bench) {
  bench.service.onCreate = [&bench](const Seen &, Answer &answer) {
    answer.json(200, bench.service.completedReply("gen/1:model"));
  };
}

} // namespace

GST_START_TEST(a_prompt_becomes_a_clip) {
  Bench bench;
  bench.service.pollsUntilCompleted = 1;
  const auto clip = bench.run();
  fail_unless(clip.has_value());
  fail_unless(contentsOf(**clip) == bench.service.clip);
  fail_unless_equals_int(bench.service.purchases(), 1);
  const std::vector<State> expected{State::Submitting, State::Queued, State::Generating, State::Downloading,
                                    State::Completed};
  fail_unless(bench.states == expected);
  fail_unless_equals_text(submitted(bench, "prompt"), bench.settings.prompt);
  fail_unless_equals_text(bench.status.prompt, bench.settings.prompt);
  fail_unless_equals_text(bench.status.generationId, "gen/1:model");
  fail_unless_equals_int(bench.status.polls, 2);
  fail_unless_equals_int(bench.status.bytesReceived, bench.service.clip.size());
  fail_if(bench.status.reused());
}
GST_END_TEST

GST_START_TEST(a_text_model_works_over_both_families) {
  for (const EndpointChoice choice : {EndpointChoice::Universal, EndpointChoice::Legacy}) {
    Bench bench;
    bench.settings.model = textModel;
    expectClipOver(choice, bench);
  }
}
GST_END_TEST

GST_START_TEST(image_models_take_a_path_a_url_and_a_data_uri_over_both_families) {
  TemporaryFolder folder;
  const std::string path = folder.file("picture.png", fromBase64(tinyPng));
  const std::string inlined = dataUri("image/png", tinyPng);
  const TestServer pictures([](const Seen &, Answer &answer) {
    answer.header("ETag", "\"1\"");
    answer.send(200, "image/jpeg", "not for the engine");
  });
  const std::string url = pictures.url() + "/a%20b.jpg?sig=x%2By%3D";
  const std::pair<std::string, std::string> images[] = {
      {path, inlined}, {"file://" + path, inlined}, {inlined, inlined}, {url, url}};
  for (const char *model : imageModels)
    for (const EndpointChoice choice : {EndpointChoice::Universal, EndpointChoice::Legacy})
      for (const auto &[given, sent] : images) {
        Bench bench;
        bench.settings.model = model;
        bench.settings.image = given;
        expectClipOver(choice, bench);
        fail_unless_equals_text(submitted(bench, "image_url"), sent);
      }
}
GST_END_TEST

GST_START_TEST(a_given_generation_is_fetched_and_nothing_is_bought) {
  Bench bench;
  bench.fetchOnly();
  const auto clip = bench.run();
  fail_unless(clip.has_value());
  fail_unless(contentsOf(**clip) == bench.service.clip);
  fail_unless_equals_int(bench.service.purchases(), 0);
  fail_unless(bench.status.reused());
}
GST_END_TEST

GST_START_TEST(every_success_code_with_an_id_counts) {
  for (const unsigned code : {200U, 201U, 202U}) {
    Bench bench;
    bench.createAnswers(code, R"({"id":"gen/1:model","status":"queued"})");
    fail_unless(bench.run().has_value(), "%u", code);
  }
}
GST_END_TEST

GST_START_TEST(a_create_may_name_its_generation_id) {
  Bench bench;
  bench.createAnswers(200, R"({"generation_id":"abc","status":"queued"})");
  fail_unless(bench.run().has_value());
  fail_unless_equals_text(bench.asked()[1], std::string("GET ") + universalPath + "?generation_id=abc");
}
GST_END_TEST

GST_START_TEST(ids_of_every_kind_are_asked_for_as_they_came) {
  const std::pair<const char *, const char *> ids[] = {
      {R"("60ac7c34-3224-4b14-8e7d-0aa0db708325:kling-video/v1/pro")",
       "60ac7c34-3224-4b14-8e7d-0aa0db708325%3Akling-video%2Fv1%2Fpro"},
      {R"("-G3b3vVKdoC42fMNeK1T5")", "-G3b3vVKdoC42fMNeK1T5"},
      {R"("789392067490349060")", "789392067490349060"},
      {"789392067490349060", "789392067490349060"},
      {R"("a b&c=d#e?f%20\"é")", "a%20b%26c%3Dd%23e%3Ff%2520%22%C3%A9"},
  };
  for (const auto &[id, asked] : ids) {
    Bench bench;
    bench.createAnswers(200, std::string(R"({"status":"queued","id":)") + id + "}");
    fail_unless(bench.run().has_value(), "%s", id);
    fail_unless_equals_text(bench.asked()[1], std::string("GET ") + universalPath + "?generation_id=" + asked);
  }
}
GST_END_TEST

GST_START_TEST(what_was_used_may_come_with_any_answer_or_none) {
  Bench created;
  fail_unless(created.run().has_value());
  fail_unless(created.status.usage.credits == 1'820'000);
  fail_unless(created.status.usage.usd == 0.91);

  Bench polled;
  polled.createAnswers(200, R"({"id":"gen/1:model","status":"queued"})");
  polled.service.onPoll = [&](const Seen &, Answer &answer) {
    answer.json(200, R"({"id":"x","status":"completed","meta":{"usage":{"tokens_used":4.5}},"video":{"url":")" +
                         polled.service.clipUrl() + R"("}})");
  };
  fail_unless(polled.run().has_value());
  fail_unless(polled.status.usage.credits == 4.5);
  fail_if(polled.status.usage.usd.has_value());

  Bench inHeaders;
  inHeaders.createAnswers(200, R"({"id":"gen/1:model","status":"queued","meta":null})",
                          {{"x-aimlapi-credits-used", "200000"}, {"x-aimlapi-usd-spent", "0.1"}});
  fail_unless(inHeaders.run().has_value());
  fail_unless(inHeaders.status.usage.credits == 200'000);
  fail_unless(inHeaders.status.usage.usd == 0.1);

  for (const char *amount : {"nan", "-1000", "-inf", "1e999", "0.1 USD"}) {
    Bench noMoney;
    noMoney.createAnswers(200, R"({"id":"gen/1:model","status":"queued"})",
                          {{"x-aimlapi-credits-used", amount}, {"x-aimlapi-usd-spent", amount}});
    fail_unless(noMoney.run().has_value());
    fail_if(noMoney.status.usage.credits.has_value() || noMoney.status.usage.usd.has_value(), "%s", amount);
  }

  Bench none;
  none.createAnswers(200, R"({"id":"gen/1:model","status":"queued"})");
  fail_unless(none.run().has_value());
  fail_if(none.status.usage.credits.has_value() || none.status.usage.usd.has_value());
}
GST_END_TEST

GST_START_TEST(an_id_that_acts_on_a_terminal_is_polled_as_it_is_and_told_as_something_to_read) {
  Bench bench;
  bench.createAnswers(200, R"({"id":"gen\u001b[2J\u009b\u202e","status":"queued"})");
  bench.service.onPoll = [](const Seen &seen, Answer &answer) {
    fail_unless_contains(seen.target, "gen%1B%5B2J%C2%9B%E2%80%AE");
    answer.json(200, R"({"status":"failed","error":"no\u001b]0;x\u0007"})");
  };
  bench.settings.timeout = 5;
  const Error error = bench.fault();
  for (const std::string &told : {error.text(), std::accumulate(bench.notes.begin(), bench.notes.end(), std::string()),
                                  std::accumulate(bench.logged.begin(), bench.logged.end(), std::string())})
    for (const char *acts : {"\x1b", "\xc2\x9b", "\xe2\x80\xae", "\x07"})
      fail_if(contains(told, acts), "%s", told.c_str());
  fail_unless_contains(error.text(), "no ]0;x");
}
GST_END_TEST

GST_START_TEST(headers_and_prices_that_act_on_a_terminal_are_told_as_something_to_read) {
  Bench redirected;
  redirected.createAnswers(302, "{}",
                           {{"Location", "http://h/\xc2\x9b"
                                         "2J\xe2\x80\xae"}});
  fail_unless_contains(redirected.fault().text(), "to http://h/ 2J\xef\xbf\xbd");

  Bench priced;
  priced.settings.maximumCost = 1;
  priced.service.onOther = [](const Seen &, Answer &answer) {
    answer.json(200, R"({"data":[{"id":"kling-video/v1.6/pro/text-to-video","pricing":{"kind":"\u001b[2J\u009b"}}]})");
  };
  fail_unless_contains(priced.fault().text(), "of the unknown kind \" [2J \"");
  fail_unless_equals_int(priced.service.purchases(), 0);
}
GST_END_TEST

GST_START_TEST(a_create_that_is_completed_needs_no_poll) {
  Bench bench;
  completeAtOnce(bench);
  const auto clip = bench.run();
  fail_unless(clip.has_value());
  fail_unless(contentsOf(**clip) == bench.service.clip);
  fail_unless_equals_int(bench.service.polls(), 0);
  const std::vector<State> expected{State::Submitting, State::Downloading, State::Completed};
  fail_unless(bench.states == expected);
}
GST_END_TEST

GST_START_TEST(a_create_that_failed_needs_no_poll) {
  Bench bench;
  bench.createAnswers(200, R"({"id":"gen/1:model","status":"error","error":{"name":"E","message":"no face"}})");
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::GenerationFailed);
  fail_unless_contains(error.text(), "no face");
  fail_unless_equals_int(bench.service.purchases(), 1);
  fail_unless_equals_int(bench.service.polls(), 0);
}
GST_END_TEST

GST_START_TEST(answers_may_hold_more_than_is_known) {
  Bench bench;
  bench.service.onCreate = [&](const Seen &, Answer &answer) {
    answer.json(200, R"({"new":{"id":7,"status":"error"},"model":"kling","duration":null,"id":"gen/1:model",)"
                     R"("status":"completed","video":{"url":")" +
                         bench.service.clipUrl() + R"(","duration":5.1,"content_type":"video/mp4"}})");
  };
  fail_unless(bench.run().has_value());
  fail_unless_equals_text(bench.status.generationId, "gen/1:model");
}
GST_END_TEST

GST_START_TEST(a_clip_on_another_host_is_fetched_byte_for_byte) {
  Bench bench;
  const std::string signature = "/eagle/a%2Fb/%C3%BC.mp4?X-Sig=" + std::string(560, 'a') + "%2B%3D&e=1&a=b=c";
  const TestServer host([&](const Seen &, Answer &answer) { bench.service.serveClip(answer); });
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    answer.json(200, R"({"id":"x","status":"completed","video":{"url":")" + host.url() + signature + R"("}})");
  };
  const auto clip = bench.run();
  fail_unless(clip.has_value());
  fail_unless(contentsOf(**clip) == bench.service.clip);
  for (const Seen &seen : host.requests())
    fail_unless_equals_text(seen.target, signature);
}
GST_END_TEST

GST_START_TEST(a_redirected_clip_is_fetched) {
  Bench bench;
  const TestServer host([&](const Seen &seen, Answer &answer) {
    if (seen.path == "/old.mp4") {
      answer.header("Location", "/new%2Fplace.mp4?s=1");
      answer.send(302, "text/plain", "");
    } else {
      bench.service.serveClip(answer);
    }
  });
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    answer.json(200, R"({"id":"x","status":"completed","video":{"url":")" + host.url() + R"(/old.mp4"}})");
  };
  fail_unless(bench.run().has_value());
  fail_unless_equals_text(host.requests().back().target, "/new%2Fplace.mp4?s=1");
}
GST_END_TEST

GST_START_TEST(an_expired_link_is_asked_for_anew) {
  for (const unsigned code : {401U, 403U, 404U, 410U}) {
    Bench bench;
    const TestServer host([&](const Seen &seen, Answer &answer) {
      if (seen.path == "/fresh.mp4")
        bench.service.serveClip(answer);
      else
        answer.send(code, "text/xml", "<Error>expired</Error>");
    });
    bench.service.onPoll = [&](const Seen &, Answer &answer) {
      const std::string name = bench.service.polls() == 1 ? "/expired.mp4" : "/fresh.mp4";
      answer.json(200, R"({"id":"x","status":"completed","video":{"url":")" + host.url() + name + R"("}})");
    };
    const auto clip = bench.run();
    fail_unless(clip.has_value(), "%u", code);
    fail_unless(contentsOf(**clip) == bench.service.clip);
    fail_unless_equals_int(bench.service.polls(), 2);
    fail_unless_equals_int(bench.service.purchases(), 1);
  }
}
GST_END_TEST

GST_START_TEST(an_unknown_model_is_left_to_the_service) {
  Bench bench;
  bench.settings.model = "new-vendor/video-9-turbo";
  bench.settings.duration = 5;
  fail_unless(bench.run().has_value());
  fail_unless_equals_text(submitted(bench, "model"), "new-vendor/video-9-turbo");
  fail_unless_equals_text(submitted(bench, "duration"), "5");
}
GST_END_TEST

GST_START_TEST(the_key_goes_to_the_services_host_only) {
  Bench bench;
  bench.settings.extraHeaders = {{"X-Team", "films"}};
  const TestServer host([&](const Seen &, Answer &answer) { bench.service.serveClip(answer); });
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    answer.json(200, R"({"id":"x","status":"completed","video":{"url":")" + host.url() + R"(/clip.mp4"}})");
  };
  fail_unless(bench.run().has_value());
  fail_unless_equals_int(bench.service.server.requests().size(), 2);
  for (const Seen &seen : bench.service.server.requests()) {
    fail_unless_equals_text(seen.header("Authorization"), std::string("Bearer ") + benchKey);
    fail_unless_equals_text(seen.header("X-Team"), "films");
  }
  fail_if(host.requests().empty());
  for (const Seen &seen : host.requests())
    for (const auto &[name, value] : seen.headers) {
      fail_if(contains(value, benchKey), "%s", name.c_str());
      fail_if(name == "Authorization" || name == "X-Team" || name == "X-Client-Request-Id", "%s", name.c_str());
    }
}
GST_END_TEST

/// The clip may lie on the service's own host, and even there it is fetched by its signed address alone.
GST_START_TEST(a_clip_on_the_services_host_is_fetched_without_the_key) {
  Bench bench;
  fail_unless(bench.run().has_value());
  const Seen fetched = bench.service.server.requests().back();
  fail_unless_equals_text(fetched.target, bench.service.clipPath);
  fail_unless_equals_text(fetched.header("Authorization"), "");
}
GST_END_TEST

GST_START_TEST(a_service_that_quotes_the_key_does_not_spread_it) {
  const std::string quoting = std::string(R"({"message":"bad key )") + benchKey + R"("})";
  const std::string failed =
      std::string(R"({"id":"x","status":"error","error":{"message":"with )") + benchKey + R"("}})";
  for (const unsigned code : {200U, 301U, 400U, 401U, 429U, 500U}) {
    Bench bench;
    bench.createAnswers(code, code == 200 ? benchKey : quoting, {{"Location", std::string("/?key=") + benchKey}});
    const Error error = bench.fault();
    fail_if(contains(error.text() + error.serviceMessage, benchKey), "%s", error.text().c_str());
    for (const std::string &line : bench.logged)
      fail_if(contains(line, benchKey), "%s", line.c_str());
  }
  Bench bench;
  bench.settings.timeout = 2;
  bench.service.onPoll = [&](const Seen &, Answer &answer) {
    if (bench.service.polls() == 1)
      answer.json(500, quoting);
    else if (bench.service.polls() == 2)
      answer.send(200, "text/plain", benchKey);
    else
      answer.json(200, failed);
  };
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::GenerationFailed);
  fail_if(contains(error.text() + error.serviceMessage, benchKey));
  for (const std::string &line : bench.logged)
    fail_if(contains(line, benchKey), "%s", line.c_str());
}
GST_END_TEST

/// A reply that puts the key into the clip's address would otherwise carry it to the clip's host.
GST_START_TEST(a_clips_address_does_not_carry_the_key) {
  const TestServer host([](const Seen &, Answer &answer) { answer.send(403, "text/plain", ""); });
  Bench bench;
  bench.settings.timeout = 2;
  bench.service.clipAddress = host.url() + "/clip.mp4?key=" + benchKey;
  const Error error = bench.fault();
  fail_if(contains(error.text(), benchKey), "%s", error.text().c_str());
  fail_if(host.requests().empty());
  for (const Seen &seen : host.requests())
    fail_if(contains(seen.target, benchKey), "%s", seen.target.c_str());
}
GST_END_TEST

GST_START_TEST(a_clip_that_finds_no_place_in_the_store_is_fetched_elsewhere_which_the_network_thread_tells) {
  Bench bench;
  bench.onState = [&](const Status &now) {
    if (now.state == State::Downloading)
      fail_unless_equals_int(g_rmdir((bench.service.home.cache() + "/aimlvideo/clips").c_str()), 0);
  };
  bool tellsOnNetworkThread = true;
  bench.onNote = [&](const std::string &) {
    tellsOnNetworkThread = tellsOnNetworkThread && Loop::instance().isCurrent();
  };
  const auto clip = bench.run();
  fail_unless(clip.has_value());
  fail_unless(contentsOf(**clip) == bench.service.clip);
  fail_unless(std::ranges::any_of(
      bench.notes, [](const std::string &note) { return note.starts_with("the clip will not be kept: "); }));
  fail_unless(tellsOnNetworkThread);
}
GST_END_TEST

static TCase *life() {
  TCase *tests = tcase_create("life");
  tcase_add_test(tests, a_prompt_becomes_a_clip);
  tcase_add_test(tests, a_text_model_works_over_both_families);
  tcase_add_test(tests, image_models_take_a_path_a_url_and_a_data_uri_over_both_families);
  tcase_add_test(tests, a_given_generation_is_fetched_and_nothing_is_bought);
  tcase_add_test(tests, a_clip_that_finds_no_place_in_the_store_is_fetched_elsewhere_which_the_network_thread_tells);
  return tests;
}

static TCase *answers() {
  TCase *tests = tcase_create("answers");
  tcase_add_test(tests, every_success_code_with_an_id_counts);
  tcase_add_test(tests, a_create_may_name_its_generation_id);
  tcase_add_test(tests, ids_of_every_kind_are_asked_for_as_they_came);
  tcase_add_test(tests, what_was_used_may_come_with_any_answer_or_none);
  tcase_add_test(tests, answers_may_hold_more_than_is_known);
  tcase_add_test(tests, an_id_that_acts_on_a_terminal_is_polled_as_it_is_and_told_as_something_to_read);
  tcase_add_test(tests, headers_and_prices_that_act_on_a_terminal_are_told_as_something_to_read);
  tcase_add_test(tests, a_create_that_is_completed_needs_no_poll);
  tcase_add_test(tests, a_create_that_failed_needs_no_poll);
  tcase_add_test(tests, a_clip_on_another_host_is_fetched_byte_for_byte);
  tcase_add_test(tests, a_redirected_clip_is_fetched);
  tcase_add_test(tests, an_expired_link_is_asked_for_anew);
  tcase_add_test(tests, an_unknown_model_is_left_to_the_service);
  return tests;
}

static TCase *secrets() {
  TCase *tests = tcase_create("secrets");
  tcase_add_test(tests, the_key_goes_to_the_services_host_only);
  tcase_add_test(tests, a_clip_on_the_services_host_is_fetched_without_the_key);
  tcase_add_test(tests, a_service_that_quotes_the_key_does_not_spread_it);
  tcase_add_test(tests, a_clips_address_does_not_carry_the_key);
  return tests;
}

static Suite *generation_suite() {
  Suite *suite = suite_create("generation");
  suite_add_tcase(suite, life());
  suite_add_tcase(suite, answers());
  suite_add_tcase(suite, secrets());
  return suite;
}

GST_CHECK_MAIN(generation)
