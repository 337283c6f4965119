// SPDX-License-Identifier: LGPL-2.1-or-later
// What a URI may make a generation do: anyone can write one into a playlist.
#include "settings/allowance.h"

#include <initializer_list>
#include <limits>

#include <sys/inotify.h>
#include <unistd.h>

#include <aimlvideo/uri.h>

#include "bench.h"
#include "images.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

using RowState = LedgerRow::State;

constexpr auto imageModel = "kling-video/v1.6/pro/image-to-video";
constexpr auto refusal = "an aimlvideo:// URI alone buys nothing";

/// The settings ask for what they ask for by a URI from now on.
void fromUri(Settings &settings) {
  const std::string uri = uriFor(settings);
  fail_unless(takeUri(uri, settings).has_value());
}

void expectNothingBought(Bench &bench) {
  const Error error = bench.fault();
  fail_unless(error.kind == ErrorKind::BadRequest, "%s", error.text().c_str());
  fail_unless_contains(error.text(), refusal);
  fail_unless_contains(error.text(), uriCostVariable);
  fail_unless_contains(error.text(), "max-cost in source-setup");
}

/// The service lists a clip at a price, in USD.
void priceIs(Bench &bench, const char *price) {
  bench.service.onOther = [=](const Seen &seen, Answer &answer) {
    if (!seen.path.starts_with("/v1/models"))
      return answer.json(404, "{}");
    answer.json(200, std::string(R"({"data":[{"id":"kling-video/v1.6/pro/text-to-video","pricing":{"kind":"fixed",)") +
                         R"("units":[{"measure":"video","price":)" + price + R"(,"per":1}]}}]})");
  };
}

/// Sees whether anybody opens a file, or asks the system for its contents in another way.
class Watch {
public:
  explicit Watch(const std::string &path) : descriptor_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    fail_unless(inotify_add_watch(descriptor_, path.c_str(), IN_OPEN | IN_ACCESS) >= 0);
  }
  Watch(const Watch &) = delete;
  Watch &operator=(const Watch &) = delete;
  ~Watch() { close(descriptor_); }

  bool wasOpened() const {
    char events[1024];
    return read(descriptor_, events, sizeof events) > 0;
  }

private:
  int descriptor_;
};

} // namespace

GST_START_TEST(a_uri_alone_buys_nothing_asks_nobody_and_leaves_no_trace) {
  Bench bench;
  fromUri(bench.settings);
  expectNothingBought(bench);
  fail_unless(bench.asked().empty());
  fail_unless(bench.ledger()->rows()->empty());
  fail_if(g_file_test((bench.service.home.state() + "/aimlvideo/ownership.lock").c_str(), G_FILE_TEST_EXISTS));
}
GST_END_TEST

GST_START_TEST(the_error_names_a_command_that_buys_it) {
  Bench bench;
  bench.settings.prompt = "it's\nmine";
  fromUri(bench.settings);
  fail_unless_contains(bench.fault().text(),
                       "`AIMLVIDEO_URI_MAX_COST=1 gst-launch-1.0 'aimlvideo://kling-video/v1.6/pro/text-to-video?"
                       "prompt=it%27s%0Amine' ! fakesink`");
}
GST_END_TEST

GST_START_TEST(a_uri_replays_what_was_bought_without_a_request) {
  Bench bench;
  fail_unless(bench.run().has_value());
  const size_t requests = bench.asked().size();
  bench.row = 0;
  fromUri(bench.settings);
  fail_unless(bench.run().has_value());
  fail_unless(bench.status.origin == Origin::Replayed);
  fail_unless_equals_int(bench.asked().size(), requests);
  bench.settings.take = 1;
  fromUri(bench.settings);
  expectNothingBought(bench);
}
GST_END_TEST

GST_START_TEST(a_uri_goes_on_with_an_unfinished_generation) {
  Bench bench;
  bench.service.pollsUntilCompleted = 1000;
  bench.settings.timeout = 1;
  fail_unless(bench.fault().kind == ErrorKind::TimedOut);
  bench.settings.timeout = 30;
  bench.service.pollsUntilCompleted = 0;
  bench.row = 0;
  fromUri(bench.settings);
  fail_unless(bench.run().has_value());
  fail_unless(bench.status.origin == Origin::Resumed);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_uri_looks_an_unknown_outcome_up_and_does_not_send_it_again) {
  for (const OnUnknown onUnknown : {OnUnknown::Fail, OnUnknown::Resubmit}) {
    Bench bench;
    bench.settings.timeout = 1;
    bench.service.onCreate = [](const Seen &, Answer &answer) {
      answer.drop();
    };
    fail_unless(bench.fault().kind == ErrorKind::UnknownOutcome);
    // the log says that it failed, which would be bought again
    bench.service.onLogs = [&bench](const Seen &, Answer &answer) {
      answer.json(200,
                  FakeService::logPage(FakeService::logRow(bench.service.submissionId(), "gen/1:model", "failed")));
    };
    bench.row = 0;
    bench.settings.onUnknown = onUnknown;
    fromUri(bench.settings);
    expectNothingBought(bench);
    fail_unless_equals_int(bench.service.purchases(), 1);
  }
}
GST_END_TEST

GST_START_TEST(on_unknown_resubmit_does_not_let_a_uri_buy) {
  Bench bench;
  bench.settings.timeout = 1;
  bench.service.onCreate = [](const Seen &, Answer &answer) {
    answer.drop();
  };
  fail_unless(bench.fault().kind == ErrorKind::UnknownOutcome);
  bench.row = 0;
  bench.settings.onUnknown = OnUnknown::Resubmit;
  fromUri(bench.settings);
  expectNothingBought(bench);
  fail_unless_equals_int(bench.service.purchases(), 1);
  fail_unless(bench.newestRow().state == LedgerRow::State::Sent);
}
GST_END_TEST

GST_START_TEST(what_may_have_been_bought_counts_when_it_is_sent_again_under_a_cap) {
  for (const bool earlierRun : {false, true}) {
    Bench bench;
    priceIs(bench, "0.455");
    bench.settings.timeout = 1;
    bench.settings.onUnknown = earlierRun ? OnUnknown::Fail : OnUnknown::Resubmit;
    bench.settings.maximumCost = 0.5;
    bench.service.onCreate = [](const Seen &, Answer &answer) {
      answer.drop();
    };
    Error error = bench.fault();
    if (earlierRun) {
      bench.row = 0;
      bench.settings.onUnknown = OnUnknown::Resubmit;
      error = bench.fault();
    }
    fail_unless(error.kind == ErrorKind::UnknownOutcome, "%s", error.text().c_str());
    fail_unless_contains(error.text(), "max-cost (0.50 USD)");
    fail_unless_contains(error.text(), "may have been bought for as much");
    fail_unless_equals_int(bench.service.purchases(), 1);
    fail_unless(bench.newestRow().state == LedgerRow::State::Sent);

    bench.row = 0;
    bench.settings.maximumCost = 0.92; // enough for both
    fail_unless(bench.fault().kind == ErrorKind::UnknownOutcome);
    fail_unless_equals_int(bench.service.purchases(), 2);
  }
}
GST_END_TEST

GST_START_TEST(a_clip_that_is_nowhere_any_more_is_not_bought_again_for_a_uri) {
  Bench bench;
  bench.patience.unknownIdAnswers = 2;
  fail_unless(bench.run().has_value());
  g_remove((bench.service.home.cache() + "/aimlvideo/clips/" + bench.newestRow().clip).c_str());
  bench.service.onPoll = [](const Seen &, Answer &answer) {
    answer.json(404, R"({"message":"Generation not found"})");
  };
  for (const OnLost onLost : {OnLost::Fail, OnLost::Buy}) {
    bench.row = 0;
    bench.settings.onLost = onLost;
    fromUri(bench.settings);
    fail_unless(bench.fault().kind == ErrorKind::Lost);
    fail_unless_equals_int(bench.service.purchases(), 1);
  }
}
GST_END_TEST

GST_START_TEST(reuse_none_does_not_let_a_uri_buy) {
  Bench bench;
  fail_unless(bench.run().has_value());
  bench.row = 0;
  bench.settings.reuse = Reuse::None;
  fromUri(bench.settings);
  expectNothingBought(bench);
  fail_unless_equals_int(bench.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_uri_alone_opens_no_local_file) {
  TemporaryFolder folder;
  const std::string there = folder.file("mona.png", fromBase64(tinyPng));
  const std::string missing = folder.file("missing.png");
  for (const std::string &path : {there, missing, "file://" + there}) {
    const std::string inParameters = R"({"static_mask":")" + path + R"("})";
    for (int place = 0; place < 4; ++place) {
      Bench bench;
      bench.settings.model = imageModel;
      bench.settings.image = place == 0 ? path : dataUri("image/png", tinyPng);
      bench.settings.tailImage = place == 1 ? path : "";
      bench.settings.parameters = place == 2 ? "@" + path : place == 3 ? inParameters : "";
      fromUri(bench.settings);
      const Watch watch(there);
      const Error error = bench.fault();
      fail_unless_contains(error.text(), "names a local file, which an aimlvideo:// URI alone is not allowed to read");
      fail_unless_contains(error.text(), uriCostVariable);
      fail_unless(error.kind == ErrorKind::BadRequest);
      const auto early = checkSettings(bench.settings);
      fail_unless(!early.has_value());
      fail_unless_equals_text(early.error().text(), error.text());
      fail_if(watch.wasOpened());
      fail_unless(bench.asked().empty());
    }
  }
}
GST_END_TEST

GST_START_TEST(a_permitted_uri_opens_a_local_file) {
  TemporaryFolder folder;
  Bench bench;
  bench.settings.model = imageModel;
  bench.settings.image = folder.file("mona.png", fromBase64(tinyPng));
  fromUri(bench.settings);
  const ScopedVariable permission(uriCostVariable, "5");
  const Watch watch(bench.settings.image);
  bench.run();
  fail_unless(watch.wasOpened());
}
GST_END_TEST

GST_START_TEST(a_uri_alone_asks_no_image_host_unless_the_user_did_before) {
  Bench bench;
  TestServer host([](const Seen &, Answer &answer) {
    answer.header("ETag", "\"v1\"");
    answer.send(200, "image/jpeg", "x");
  });
  bench.settings.model = imageModel;
  const Settings own = [&] {
    Settings settings = bench.settings;
    settings.image = host.url() + "/inside/mona.jpg";
    return settings;
  }();
  bench.settings = own;
  fromUri(bench.settings);
  expectNothingBought(bench);
  // a prompt that is an address counts like an image, and parameters can hold more of them
  bench.settings.image = dataUri("image/png", tinyPng);
  bench.settings.prompt = host.url() + "/inside/prompt";
  bench.settings.parameters = R"({"static_mask":")" + host.url() + R"(/inside/mask"})";
  fromUri(bench.settings);
  expectNothingBought(bench);
  fail_unless_equals_int(host.requests().size(), 0);

  bench.settings = own;
  fail_unless(bench.run().has_value());
  fail_unless(!host.requests().empty());
  bench.row = 0;
  fromUri(bench.settings);
  fail_unless(bench.run().has_value());
  fail_unless(bench.status.origin == Origin::Replayed);
}
GST_END_TEST

GST_START_TEST(a_data_uri_finds_what_was_bought_with_the_same_bytes) {
  TemporaryFolder folder;
  Bench bench;
  bench.settings.model = imageModel;
  bench.settings.image = folder.file("mona.png", fromBase64(tinyPng));
  fail_unless(bench.run().has_value());
  bench.row = 0;
  bench.settings.image = dataUri("image/png", tinyPng);
  fromUri(bench.settings);
  fail_unless(bench.run().has_value());
  fail_unless(bench.status.origin == Origin::Replayed);
}
GST_END_TEST

/// A clip of 0.50 USD, a cap in the environment and the application's.
struct CapCase {
  const char *environment;
  double maximumCost;
  bool bought;
  const char *says;
};

static void expectCaps(std::initializer_list<CapCase> cases, const char *variable, bool byUri) {
  for (const CapCase &c : cases) {
    Bench bench;
    priceIs(bench, "0.5");
    bench.settings.maximumCost = c.maximumCost;
    if (byUri)
      fromUri(bench.settings);
    const ScopedVariable environment(variable, c.environment);
    const auto clip = bench.run();
    fail_unless(clip.has_value() == c.bought, "%s, %g", c.environment, c.maximumCost);
    fail_unless_equals_int(bench.service.purchases(), c.bought ? 1 : 0);
    if (!clip)
      fail_unless_contains(clip.error().text(), c.says);
  }
}

GST_START_TEST(the_lower_of_the_environments_and_the_applications_cap_counts) {
  expectCaps(
      {{"1", 0, true, ""},
       {nullptr, 1, true, ""},
       {"1", 1, true, ""},
       {"", 0, false, refusal},
       {"0", 0, false, refusal},
       {"0", 1, false, refusal},
       {"0.4", 0, false, "the price would be above AIMLVIDEO_URI_MAX_COST (0.40 USD): it is estimated at 0.50 USD"},
       {"0.4", 1, false, "the price would be above AIMLVIDEO_URI_MAX_COST (0.40 USD)"},
       {"1", 0.4, false, "the price would be above max-cost (0.40 USD)"},
       {nullptr, 0.4, false, "the price would be above max-cost (0.40 USD)"},
       {"lots", 1, false, "$AIMLVIDEO_URI_MAX_COST can't be used: it is not an amount"},
       {"0,5", 1, false, "it is not an amount"},
       {"-1", 1, false, "it is not an amount"},
       {"inf", 1, false, "it is not an amount"}},
      uriCostVariable, true);
}
GST_END_TEST

GST_START_TEST(a_cap_in_the_environment_holds_for_every_request_and_the_lowest_counts) {
  expectCaps({{nullptr, 0, true, ""},
              {"", 0, true, ""},
              {"0.5", 0, true, ""},
              {"1", 0.5, true, ""},
              {"0.4", 0, false, "the price would be above AIMLVIDEO_MAX_COST (0.40 USD): it is estimated at 0.50 USD"},
              {"0.4", 1, false, "the price would be above AIMLVIDEO_MAX_COST (0.40 USD)"},
              {"1", 0.4, false, "the price would be above max-cost (0.40 USD)"},
              {"0", 1, false, "the price would be above AIMLVIDEO_MAX_COST (0.00 USD)"},
              {"nan", 0, false, "$AIMLVIDEO_MAX_COST can't be used: it is not an amount"},
              {"-1", 0, false, "it is not an amount"},
              {"inf", 0, false, "it is not an amount"},
              {"lots", 1, false, "it is not an amount"}},
             costVariable, false);
}
GST_END_TEST

GST_START_TEST(a_cap_in_the_environment_lowers_what_a_uri_may_cost_and_permits_none) {
  Bench bench;
  priceIs(bench, "0.5");
  fromUri(bench.settings);
  const ScopedVariable cap(costVariable, "0.4");
  expectNothingBought(bench);
  const ScopedVariable permission(uriCostVariable, "1");
  fail_unless_contains(bench.fault().text(), "the price would be above AIMLVIDEO_MAX_COST (0.40 USD)");
  fail_unless_equals_int(bench.service.purchases(), 0);
}
GST_END_TEST

GST_START_TEST(a_cap_that_is_no_amount_is_refused_before_anything_is_asked) {
  for (const double amount :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1.0}) {
    Bench bench;
    bench.settings.maximumCost = amount;
    fail_unless_contains(checkSettings(bench.settings).error().text(), "max-cost can't be used: it is not an amount");
    fail_unless_contains(bench.fault().text(), "max-cost can't be used: it is not an amount");
    fail_unless(bench.asked().empty());
  }
}
GST_END_TEST

GST_START_TEST(a_uri_buys_nothing_whose_price_is_not_known) {
  Bench bench;
  fromUri(bench.settings);
  const ScopedVariable permission(uriCostVariable, "5");
  const Error error = bench.fault();
  fail_unless_contains(error.text(), "the price is not known and AIMLVIDEO_URI_MAX_COST (5.00 USD) is set");
  fail_unless_contains(error.text(), "A URI buys nothing without an estimate");
  fail_unless_equals_int(bench.service.purchases(), 0);
}
GST_END_TEST

GST_START_TEST(the_environment_decides_nothing_for_properties) {
  for (const char *amount : {"0", "0.01", "lots"}) {
    Bench bench;
    const ScopedVariable environment(uriCostVariable, amount);
    fail_unless(bench.run().has_value());
    fail_unless_equals_int(bench.service.purchases(), 1);
  }
}
GST_END_TEST

GST_START_TEST(a_uri_unsets_what_it_does_not_say_and_leaves_the_way_to_the_service) {
  Settings settings;
  settings.prompt = "before";
  settings.negativePrompt = "before";
  settings.duration = 10;
  settings.cfgScale = 0.5;
  settings.generateAudio = GenerateAudio::Yes;
  settings.take = 7;
  settings.baseUrl = "https://h";
  settings.apiKey = Secret("k");
  settings.maximumCost = 2;
  fail_unless(takeUri("aimlvideo://m?prompt=now", settings).has_value());
  const Settings unset;
  fail_unless_equals_text(settings.prompt, "now");
  fail_unless_equals_text(settings.negativePrompt, "");
  fail_unless(settings.duration == 0 && settings.take == 0 && settings.cfgScale == unset.cfgScale);
  fail_unless(settings.generateAudio == GenerateAudio::Default);
  fail_unless_equals_text(settings.baseUrl, "https://h");
  fail_unless_equals_text(std::string(settings.apiKey.reveal()), "k");
  fail_unless(settings.maximumCost == 2);
}
GST_END_TEST

static Suite *allowance_suite() {
  Suite *suite = suite_create("allowance");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_uri_alone_buys_nothing_asks_nobody_and_leaves_no_trace);
  tcase_add_test(tests, the_error_names_a_command_that_buys_it);
  tcase_add_test(tests, a_uri_replays_what_was_bought_without_a_request);
  tcase_add_test(tests, a_uri_goes_on_with_an_unfinished_generation);
  tcase_add_test(tests, a_uri_looks_an_unknown_outcome_up_and_does_not_send_it_again);
  tcase_add_test(tests, on_unknown_resubmit_does_not_let_a_uri_buy);
  tcase_add_test(tests, what_may_have_been_bought_counts_when_it_is_sent_again_under_a_cap);
  tcase_add_test(tests, a_clip_that_is_nowhere_any_more_is_not_bought_again_for_a_uri);
  tcase_add_test(tests, reuse_none_does_not_let_a_uri_buy);
  tcase_add_test(tests, a_uri_alone_opens_no_local_file);
  tcase_add_test(tests, a_permitted_uri_opens_a_local_file);
  tcase_add_test(tests, a_uri_alone_asks_no_image_host_unless_the_user_did_before);
  tcase_add_test(tests, a_data_uri_finds_what_was_bought_with_the_same_bytes);
  tcase_add_test(tests, the_lower_of_the_environments_and_the_applications_cap_counts);
  tcase_add_test(tests, a_cap_in_the_environment_holds_for_every_request_and_the_lowest_counts);
  tcase_add_test(tests, a_cap_in_the_environment_lowers_what_a_uri_may_cost_and_permits_none);
  tcase_add_test(tests, a_cap_that_is_no_amount_is_refused_before_anything_is_asked);
  tcase_add_test(tests, a_uri_buys_nothing_whose_price_is_not_known);
  tcase_add_test(tests, the_environment_decides_nothing_for_properties);
  tcase_add_test(tests, a_uri_unsets_what_it_does_not_say_and_leaves_the_way_to_the_service);
  return suite;
}

GST_CHECK_MAIN(allowance)
