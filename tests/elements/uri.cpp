// SPDX-License-Identifier: LGPL-2.1-or-later
// aimlvideo:// URIs in GStreamer's own players: who may buy, and how they seek.
#include <algorithm>
#include <memory>
#include <vector>

#include "settings/allowance.h"
#include "support/check.h"
#include "support/clip_server.h"
#include "support/pipeline.h"
#include "support/stall.h"
#include "unit/unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

constexpr auto catUri = "aimlvideo://kling-video/v1.6/pro/text-to-video?prompt=A%20cat";

/// A service that names a price, and the way to it in the environment, as a player has it.
struct Scene {
  std::string clip;
  std::unique_ptr<ClipServer> host;
  FakeService service;
  ScopedVariable address{"AIMLAPI_BASE_URL", service.server.url().c_str()};
  ScopedVariable key{"AIMLAPI_KEY", "test-key-0123456789"};

  explicit Scene(const std::string &layout = "faststart", ClipServer::Manners manners = {}, ClipLine line = {})
      : clip(clipNamed(layout)), host(new ClipServer(clip, std::move(manners), line)) {
    service.pollsUntilCompleted = 0;
    service.clip = clip;
    service.clipAddress = host->url() + "/clip.mp4?sig=a";
    service.onOther = [](const Seen &, Answer &answer) {
      answer.json(200, R"({"data":[{"id":"kling-video/v1.6/pro/text-to-video","pricing":{"kind":"fixed",)"
                       R"("units":[{"measure":"video","price":0.5,"per":1}]}}]})");
    };
  }
};

GstElement *elementFor(const char *uri, GError **error = nullptr) {
  return gst_element_make_from_uri(GST_URI_SRC, uri, nullptr, error);
}

std::string uriOf(GstElement *element) {
  char *uri = gst_uri_handler_get_uri(GST_URI_HANDLER(element));
  const std::string text = uri ? uri : "(none)";
  g_free(uri);
  return text;
}

std::string textProperty(GstElement *element, const char *name) {
  char *value = nullptr;
  g_object_get(element, name, &value, nullptr);
  const std::string text = value ? value : "";
  g_free(value);
  return text;
}

/// Lines that play a URI, with `URI` in its place.
const char *const players[] = {
    "playbin name=player uri=URI video-sink=fakesink audio-sink=fakesink",
    "playbin3 name=player uri=URI video-sink=fakesink audio-sink=fakesink",
    "uridecodebin name=player uri=URI ! fakesink",
    "uridecodebin3 name=player uri=URI ! fakesink",
    // to be kept on disk, and to be buffered, as players ask for streams from the net
    "playbin name=player flags=video+audio+download uri=URI video-sink=fakesink audio-sink=fakesink",
    "playbin name=player flags=video+audio+buffering uri=URI video-sink=fakesink audio-sink=fakesink",
    "playbin3 name=player flags=video+audio+download uri=URI video-sink=fakesink audio-sink=fakesink",
    "playbin3 name=player flags=video+audio+buffering uri=URI video-sink=fakesink audio-sink=fakesink",
    "uridecodebin3 name=player use-buffering=true download=true uri=URI ! fakesink",
};
constexpr int howManyPlayers = G_N_ELEMENTS(players);

std::string line(int player, const std::string &uri = catUri) {
  std::string text = players[player];
  return text.replace(text.find("URI"), 3, "\"" + uri + "\"");
}

/// An application that sets max-cost on the source of a player.
void allow(const Pipeline &pipeline, double maximumCost) {
  GstElement *player =
      GST_IS_PIPELINE(pipeline.pipeline()) && g_signal_lookup("source-setup", G_OBJECT_TYPE(pipeline.pipeline()))
          ? GST_ELEMENT(gst_object_ref(pipeline.pipeline()))
          : gst_bin_get_by_name(GST_BIN(pipeline.pipeline()), "player");
  auto *cost = g_new(double, 1);
  *cost = maximumCost;
  g_signal_connect_data(
      player, "source-setup", G_CALLBACK(+[](GstElement *, GstElement *source, gpointer value) {
        g_object_set(source, "max-cost", *static_cast<double *>(value), "poll-interval", 100, nullptr);
      }),
      cost, [](gpointer value, GClosure *) { g_free(value); }, GConnectFlags(0));
  gst_object_unref(player);
}

void playToTheEnd(const std::string &line, double maximumCost = 0) {
  Pipeline pipeline(line);
  if (maximumCost > 0)
    allow(pipeline, maximumCost);
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_if(pipeline.happened("error"), "%s", line.c_str());
}

bool seekTo(const Pipeline &pipeline, double seconds) {
  return gst_element_seek_simple(pipeline.pipeline(), GST_FORMAT_TIME,
                                 static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT),
                                 static_cast<gint64>(seconds * GST_SECOND));
}

/// What the pipeline said of buffering, in percent.
std::vector<int> bufferingOf(const Pipeline &pipeline) {
  std::vector<int> all;
  for (const Event &event : pipeline.events())
    if (event.what == "buffering") {
      all.push_back(-1);
      gst_structure_get_int(event.structure, "buffer-percent", &all.back());
    }
  return all;
}

bool isCompletion(const Event &event) {
  return gst_structure_has_name(event.structure, "aimlvideo-generation") &&
         g_strcmp0(gst_structure_get_string(event.structure, "status"), "completed") == 0;
}

/// Waits until a seek that was made in PAUSED is done.
void seekAndWait(Pipeline &pipeline, double seconds) {
  pipeline.forgetEvents();
  fail_unless(seekTo(pipeline, seconds));
  pipeline.waitFor("async-done");
  fail_if(pipeline.happened("error"));
}

/// Not more than so many bytes come by the first request; parts come whole.
ClipServer::Manners neverEnding(uint64_t stallAt) {
  return [stallAt](const ClipRequest &request, ClipAnswer &answer) {
    if (request.first == 0)
      answer.stallAfter = stallAt;
  };
}

} // namespace

GST_START_TEST(the_scheme_finds_the_element_and_the_uri_reads_back_as_set) {
  for (const char *uri : {catUri, "AimlVideo:///kling-video/v1.6/pro/text-to-video?duration=05&prompt=A cat, é",
                          "aimlvideo://?prompt=a"}) {
    GError *error = nullptr;
    GstElement *element = elementFor(uri, &error);
    fail_unless(element != nullptr, "%s", error ? error->message : "");
    fail_unless_equals_text(GST_OBJECT_NAME(gst_element_get_factory(element)), "aimlvideosrc");
    fail_unless_equals_int(gst_plugin_feature_get_rank(GST_PLUGIN_FEATURE(gst_element_get_factory(element))),
                           GST_RANK_NONE);
    fail_unless_equals_text(uriOf(element), uri);
    gst_object_unref(gst_object_ref_sink(element));
  }
  GstElement *element = gst_element_factory_make("aimlvideosrc", nullptr);
  fail_unless_equals_text(uriOf(element), "(none)");
  gst_object_unref(gst_object_ref_sink(element));
}
GST_END_TEST

GST_START_TEST(a_uri_sets_the_properties_and_unsets_those_it_does_not_name) {
  GstElement *element = elementFor("aimlvideo://a/b?prompt=1+1%25&negative-prompt=n&duration=5&cfg-scale=0.5&take=2");
  guint duration = 0;
  guint take = 0;
  double scale = 0;
  g_object_get(element, "duration", &duration, "take", &take, "cfg-scale", &scale, nullptr);
  fail_unless_equals_text(textProperty(element, "model"), "a/b");
  fail_unless_equals_text(textProperty(element, "prompt"), "1+1%");
  fail_unless_equals_text(textProperty(element, "negative-prompt"), "n");
  fail_unless(duration == 5 && take == 2 && scale == 0.5);
  fail_unless(gst_uri_handler_set_uri(GST_URI_HANDLER(element), "aimlvideo://c?prompt=p", nullptr));
  g_object_get(element, "duration", &duration, "take", &take, "cfg-scale", &scale, nullptr);
  fail_unless_equals_text(textProperty(element, "model"), "c");
  fail_unless_equals_text(textProperty(element, "negative-prompt"), "");
  fail_unless(duration == 0 && take == 0 && scale == -1);
  gst_object_unref(gst_object_ref_sink(element));
}
GST_END_TEST

GST_START_TEST(a_wrong_uri_is_refused_with_its_cause_and_changes_nothing) {
  GError *error = nullptr;
  fail_unless(elementFor("aimlvideo://m?prompt=a&api-key=s3cret-4711", &error) == nullptr);
  fail_unless(g_error_matches(error, GST_URI_ERROR, GST_URI_ERROR_BAD_URI), "%s", error->message);
  fail_unless_contains(error->message, "it sets api-key, and a URI says only what is to be made");
  fail_if(contains(error->message, "4711"));
  g_clear_error(&error);

  GstElement *element = elementFor(catUri);
  fail_if(gst_uri_handler_set_uri(GST_URI_HANDLER(element), "aimlvideo://m?prompt=b&duration=x", &error));
  fail_unless_contains(error->message, "duration is \"x\"");
  g_clear_error(&error);
  fail_unless_equals_text(uriOf(element), catUri);
  fail_unless_equals_text(textProperty(element, "prompt"), "A cat");
  gst_object_unref(gst_object_ref_sink(element));
}
GST_END_TEST

GST_START_TEST(a_running_element_refuses_another_uri) {
  FakeService service;
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  GError *error = nullptr;
  fail_if(gst_uri_handler_set_uri(GST_URI_HANDLER(pipeline.source()), catUri, &error));
  fail_unless(g_error_matches(error, GST_URI_ERROR, GST_URI_ERROR_BAD_STATE), "%s", error->message);
  g_clear_error(&error);
  fail_unless_equals_text(textProperty(pipeline.source(), "prompt"), "cat");
  pipeline.setState(GST_STATE_READY);
  fail_unless(gst_uri_handler_set_uri(GST_URI_HANDLER(pipeline.source()), catUri, &error));
}
GST_END_TEST

GST_START_TEST(a_uri_alone_is_one_error_that_says_what_to_do) {
  Scene scene;
  Pipeline pipeline(line(__i__));
  pipeline.setState(GST_STATE_PLAYING);
  const Event error = pipeline.waitFor("error");
  fail_unless_equals_text(error.domain, "gst-resource-error-quark");
  fail_unless_equals_int(error.code, GST_RESOURCE_ERROR_SETTINGS);
  fail_unless_contains(error.text, "an aimlvideo:// URI alone buys nothing");
  fail_unless_contains(error.text, uriCostVariable);
  fail_unless_contains(error.text, std::string("gst-launch-1.0 '") + catUri + "' ! fakesink");
  fail_unless(scene.service.server.requests().empty());
}
GST_END_TEST

GST_START_TEST(an_application_lets_a_player_buy_and_the_next_replays) {
  Scene scene;
  playToTheEnd(line(__i__), 1);
  fail_unless_equals_int(scene.service.purchases(), 1);
  const size_t requests = scene.service.server.requests().size();
  const size_t downloads = scene.host->requests().size();
  playToTheEnd(line(__i__));
  fail_unless_equals_int(scene.service.server.requests().size(), requests);
  fail_unless_equals_int(scene.host->requests().size(), downloads);
}
GST_END_TEST

GST_START_TEST(the_environment_lets_a_player_buy_up_to_its_cap) {
  Scene scene;
  const ScopedVariable permission(uriCostVariable, __i__ == 0 ? "0.6" : "0.4");
  Pipeline pipeline(line(1));
  allow(pipeline, __i__ == 2 ? 100 : 0); // the application can't raise the user's cap
  pipeline.setState(GST_STATE_PLAYING);
  if (__i__ == 0)
    pipeline.waitFor("eos");
  else
    fail_unless_contains(pipeline.waitFor("error").text, "the price would be above AIMLVIDEO_URI_MAX_COST (0.40 USD)");
  fail_unless_equals_int(scene.service.purchases(), __i__ == 0 ? 1 : 0);
}
GST_END_TEST

GST_START_TEST(what_properties_bought_a_uri_replays) {
  Scene scene;
  {
    Pipeline pipeline(scene.service, "SRC prompt=\"A cat\" ! fakesink");
    pipeline.setState(GST_STATE_PLAYING);
    pipeline.waitFor("eos");
  }
  playToTheEnd(line(1));
  fail_unless_equals_int(scene.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_player_shows_the_first_frame_and_seeks_back_while_the_clip_arrives) {
  Scene scene("moov-last-large", neverEnding(12'000'000));
  Pipeline pipeline(line(__i__));
  allow(pipeline, 1);
  pipeline.setState(GST_STATE_PAUSED);
  pipeline.waitFor("async-done");
  scene.host->waitForStall();
  const size_t requests = scene.host->requests().size();
  for (const double place : {1.0, 0.0, 1.5})
    seekAndWait(pipeline, place);
  fail_unless_equals_int(scene.host->requests().size(), requests);
  fail_unless(scene.host->bytesSent() < scene.clip.size());
}
GST_END_TEST

GST_START_TEST(a_player_seeks_ahead_of_what_has_arrived) {
  Scene scene("moov-first-large", {}, ClipLine{5ms, 4e6});
  Pipeline pipeline(line(__i__));
  allow(pipeline, 1);
  pipeline.setState(GST_STATE_PAUSED);
  pipeline.waitFor("async-done");
  seekAndWait(pipeline, 4.5);
  fail_unless(scene.host->bytesSent() < scene.clip.size());
  gint64 position = -1;
  fail_unless(gst_element_query_position(pipeline.pipeline(), GST_FORMAT_TIME, &position));
  fail_unless(position >= 2 * GST_SECOND);
}
GST_END_TEST

GST_START_TEST(a_player_survives_a_storm_of_seeks_and_asks_nobody_once_the_clip_is_there) {
  Scene scene(
      "moov-last-large", [](const ClipRequest &, ClipAnswer &answer) { answer.cutAfter = 4'000'000; },
      ClipLine{1ms, 30e6});
  Pipeline pipeline(line(__i__));
  allow(pipeline, 1);
  pipeline.setState(GST_STATE_PAUSED);
  pipeline.waitFor("async-done");
  const double places[] = {4, 1, 3, 0, 4.5, 2, 4.9, 0.5};
  for (int i = 0; i < 24; ++i)
    fail_unless(seekTo(pipeline, places[i % 8]));
  pipeline.waitFor("element", isCompletion);
  const size_t requests = scene.host->requests().size();
  fail_unless(requests < 200);
  for (const double place : {0.0, 4.5, 2.0, 0.0})
    seekAndWait(pipeline, place);
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless_equals_int(scene.host->requests().size(), requests);
  fail_unless_equals_int(scene.service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_player_sees_the_wait_as_buffering_that_ends_with_100_before_it_plays) {
  Scene scene;
  scene.service.pollsUntilCompleted = 2;
  Pipeline pipeline(line(__i__));
  allow(pipeline, 1);
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  const auto all = bufferingOf(pipeline);
  const auto end = std::find(all.begin(), all.end(), 100);
  fail_unless(end - all.begin() >= 2 && end != all.end()); // what comes after it is the player's own
  fail_unless(std::is_sorted(all.begin(), end) && std::adjacent_find(all.begin(), end) == end);
  fail_unless(*(end - 1) >= 95); // the download
  const auto isEnd = [](const Event &event) {
    int percent = 0;
    return event.what == "buffering" && gst_structure_get_int(event.structure, "buffer-percent", &percent) &&
           percent == 100;
  };
  const auto events = pipeline.events();
  const auto done = std::find_if(events.begin(), events.end(), isEnd) - events.begin();
  fail_unless(static_cast<size_t>(done) < pipeline.position("async-done"));

  Pipeline again(line(__i__)); // what need not be waited for is no buffering
  again.setState(GST_STATE_PLAYING);
  again.waitFor("eos");
  const auto replayed = bufferingOf(again);
  fail_unless(__i__ >= 4 || replayed.empty()); // the others buffer what comes from anywhere
}
GST_END_TEST

GST_START_TEST(without_a_uri_nothing_is_said_of_buffering) {
  Scene scene;
  Pipeline pipeline(scene.service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless(bufferingOf(pipeline).empty());
}
GST_END_TEST

GST_START_TEST(a_live_pipeline_is_told_nothing_of_buffering) {
  Scene scene;
  Pipeline pipeline("videotestsrc is-live=true ! fakesink " + line(2));
  allow(pipeline, 1);
  fail_unless_equals_int(pipeline.setState(GST_STATE_PAUSED), GST_STATE_CHANGE_NO_PREROLL);
  pipeline.waitFor("element", isCompletion);
  fail_unless(bufferingOf(pipeline).empty());
}
GST_END_TEST

GST_START_TEST(a_pipeline_that_plays_already_is_told_nothing_of_buffering) {
  Scene scene;
  const ScopedVariable permission(uriCostVariable, "1");
  Pipeline pipeline("videotestsrc ! fakesink sync=true");
  pipeline.setState(GST_STATE_PLAYING);
  fail_unless_equals_int(gst_element_get_state(pipeline.pipeline(), nullptr, nullptr, GST_CLOCK_TIME_NONE),
                         GST_STATE_CHANGE_SUCCESS);
  GstElement *next = elementFor(catUri);
  GstElement *sink = gst_element_factory_make("fakesink", nullptr);
  g_object_set(sink, "async", FALSE, nullptr);
  gst_bin_add_many(GST_BIN(pipeline.pipeline()), next, sink, nullptr);
  gst_element_link(next, sink);
  gst_element_sync_state_with_parent(sink);
  gst_element_sync_state_with_parent(next);
  pipeline.waitFor("element", isCompletion);
  fail_unless(bufferingOf(pipeline).empty());
}
GST_END_TEST

GST_START_TEST(buffering_ends_with_a_wait_that_is_given_up) {
  Scene scene;
  const ScopedVariable permission(uriCostVariable, "1");
  stallIn(scene.service, Phase::Poll);
  Pipeline pipeline(std::string(catUri) + " ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  waitForStall(scene.service, Phase::Poll);
  fail_unless_equals_int(bufferingOf(pipeline).back() < 100, 1);
  gst_element_send_event(pipeline.pipeline(), gst_event_new_eos());
  pipeline.waitFor("eos");
  fail_unless_equals_int(bufferingOf(pipeline).back(), 100);
}
GST_END_TEST

static Suite *uri_suite() {
  Suite *suite = suite_create("uri");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, the_scheme_finds_the_element_and_the_uri_reads_back_as_set);
  tcase_add_test(tests, a_uri_sets_the_properties_and_unsets_those_it_does_not_name);
  tcase_add_test(tests, a_wrong_uri_is_refused_with_its_cause_and_changes_nothing);
  tcase_add_test(tests, a_running_element_refuses_another_uri);
  tcase_add_loop_test(tests, a_uri_alone_is_one_error_that_says_what_to_do, 0, howManyPlayers);
  tcase_add_loop_test(tests, an_application_lets_a_player_buy_and_the_next_replays, 0, howManyPlayers);
  tcase_add_loop_test(tests, the_environment_lets_a_player_buy_up_to_its_cap, 0, 3);
  tcase_add_test(tests, what_properties_bought_a_uri_replays);
  // all but the two bins, which the players are made of
  tcase_add_loop_test(tests, a_player_shows_the_first_frame_and_seeks_back_while_the_clip_arrives, 0, 2);
  tcase_add_loop_test(tests, a_player_shows_the_first_frame_and_seeks_back_while_the_clip_arrives, 4, 7);
  tcase_add_loop_test(tests, a_player_seeks_ahead_of_what_has_arrived, 0, 2);
  tcase_add_loop_test(tests, a_player_survives_a_storm_of_seeks_and_asks_nobody_once_the_clip_is_there, 0, 2);
  tcase_add_loop_test(tests, a_player_sees_the_wait_as_buffering_that_ends_with_100_before_it_plays, 0, howManyPlayers);
  tcase_add_test(tests, without_a_uri_nothing_is_said_of_buffering);
  tcase_add_test(tests, a_live_pipeline_is_told_nothing_of_buffering);
  tcase_add_test(tests, a_pipeline_that_plays_already_is_told_nothing_of_buffering);
  tcase_add_test(tests, buffering_ends_with_a_wait_that_is_given_up);
  return suite;
}

GST_CHECK_MAIN(uri)
