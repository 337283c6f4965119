// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/generation.h"
#include "support/check.h"
#include "support/test_server.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

/// Everything a generation needs, with short pauses.
struct Bench {
  FakeService service;
  Settings settings;
  Patience patience;
  Cancellation cancellation;
  int64_t row = 0;
  std::vector<State> states;
  std::vector<std::string> notes;
  unsigned arrivals = 0;

  Bench() {
    settings.baseUrl = service.server.url();
    settings.apiKey = Secret("test-key-0123456789");
    settings.model = "kling-video/v1.6/pro/text-to-video";
    settings.prompt = "Mona Lisa puts on glasses";
    settings.pollInterval = 100;
    settings.timeout = 30;
    patience.unreachable = {1ms, 5ms, 3};
    patience.turnedAway = {1ms, 5ms, 4};
    patience.polls = {1ms, 5ms, 0};
    patience.downloads = {1ms, 5ms, 0};
  }

  Result<std::shared_ptr<Spool>> run() {
    Generation::Callbacks callbacks;
    callbacks.stateChanged = [this](const Status &now) {
      states.push_back(now.state);
    };
    callbacks.progressed = [this](const Status &, const std::string &note) {
      notes.push_back(note);
    };
    callbacks.arriving = [this](const Status &, const std::shared_ptr<Spool> &) {
      ++arrivals;
    };
    callbacks.claimed = [this](int64_t news) {
      row = news;
    };
    callbacks.log = [](const std::string &) {
    };
    Generation generation(settings, row, cancellation, callbacks, patience);
    auto clip = generation.run();
    status = generation.status();
    return clip;
  }

  Status status;
};

std::string contentsOf(const Spool &spool) {
  fail_unless(spool.complete());
  std::string bytes(spool.size().value_or(0), '\0');
  fail_unless(spool.read(0, bytes.data(), bytes.size()).has_value());
  return bytes;
}

} // namespace

GST_START_TEST(a_prompt_becomes_a_clip) {
  Bench bench;
  const auto clip = bench.run();
  fail_unless(clip.has_value());
  fail_unless(contentsOf(**clip) == bench.service.clip);
  fail_unless_equals_int(bench.service.purchases(), 1);
  fail_unless_equals_int(bench.service.server.requests()[0].header("Authorization") == "Bearer test-key-0123456789", 1);
  const std::vector<State> expected{State::Submitting, State::Queued, State::Generating, State::Downloading,
                                    State::Completed};
  fail_unless(bench.states == expected);
}
GST_END_TEST

GST_START_TEST(a_lost_answer_to_the_submission_is_not_bought_again) {
  Bench bench;
  bench.service.onCreate = [](const Seen &, Answer &answer) {
    answer.drop();
  };
  bench.settings.timeout = 1;
  const auto clip = bench.run();
  fail_if(clip.has_value());
  fail_unless(clip.error().kind == ErrorKind::UnknownOutcome);
  fail_unless_equals_int(bench.service.purchases(), 1);
  const std::string sent = bench.service.server.requests()[0].header("X-Client-Request-Id");
  fail_unless(!sent.empty() && clip.error().text().find(sent) != std::string::npos);
}
GST_END_TEST

static Suite *generation_suite() {
  Suite *suite = suite_create("generation");
  TCase *tests = tcase_create("life");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_prompt_becomes_a_clip);
  tcase_add_test(tests, a_lost_answer_to_the_submission_is_not_bought_again);
  return suite;
}

GST_CHECK_MAIN(generation)
