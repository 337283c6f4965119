// SPDX-License-Identifier: LGPL-2.1-or-later
// What the element says: progress, errors, messages, tags; sections (d2), (d3) and (d7) of the design's reference.
#include <algorithm>

#include "support/check.h"
#include "support/pipeline.h"

using namespace aimlvideo::test;

namespace {

/// START, any number of CONTINUE, one end, nothing after it.
void check_progress_grammar(const Pipeline &pipeline, const char *end) {
  std::vector<std::string> words;
  for (const Event &event : pipeline.events())
    if (event.what.starts_with("progress-"))
      words.push_back(event.what);
  fail_unless(words.size() >= 2);
  fail_unless_equals_string(words.front().c_str(), "progress-start");
  fail_unless_equals_string(words.back().c_str(), end);
  for (size_t i = 1; i + 1 < words.size(); ++i)
    fail_unless_equals_string(words[i].c_str(), "progress-continue");
}

struct Refusal {
  unsigned status;
  const char *body;
  int code;
  const char *text;
};

const Refusal refusals[] = {
    {400, R"({"message":"Body validation error: Invalid enum value","statusCode":"400"})", GST_RESOURCE_ERROR_SETTINGS,
     "Invalid enum value"},
    {401, R"({"message":"This request requires a valid API key"})", GST_RESOURCE_ERROR_NOT_AUTHORIZED,
     "requires a valid API key"},
    {403, R"({"message":"You've run out of credits"})", GST_RESOURCE_ERROR_NOT_AUTHORIZED, "run out of credits"},
    {404, R"({"message":"Model is deprecated"})", GST_RESOURCE_ERROR_NOT_FOUND, "Model is deprecated"},
    {422, R"({"error":{"message":"unprocessable"}})", GST_RESOURCE_ERROR_SETTINGS, "unprocessable"},
    {500, R"({"message":"The model is under maintenance"})", GST_RESOURCE_ERROR_FAILED, "under maintenance"},
    {302, "", GST_RESOURCE_ERROR_SETTINGS, "redirects"},
};

} // namespace

GST_START_TEST(progress_has_one_start_and_completes_before_the_first_buffer) {
  FakeService service;
  service.clip = clipNamed("faststart");
  service.pollsUntilCompleted = 2;
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  check_progress_grammar(pipeline, "progress-complete");
  fail_unless(pipeline.position("progress-complete") < pipeline.position("buffer"));
  fail_unless(pipeline.position("duration-changed") < pipeline.position("buffer"));
  const Event last = pipeline.waitFor("progress-complete");
  gint percent = 0;
  fail_unless(gst_structure_get_int(last.structure, "percent", &percent));
  fail_unless_equals_int(percent, 100);
  const char *code = gst_structure_get_string(last.structure, "code");
  fail_unless_equals_string(code, "generate");
}
GST_END_TEST

GST_START_TEST(a_refusal_is_one_error_with_its_cause_and_then_the_end_of_progress) {
  const Refusal &refusal = refusals[__i__];
  FakeService service;
  service.onCreate = [&](const Seen &, Answer &answer) {
    answer.json(refusal.status, refusal.body);
  };
  Pipeline pipeline(service, "SRC timeout=3 ! fakesink"); // as long as an unknown outcome is looked up
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("progress-error");
  const Event error = pipeline.waitFor("error"); // the first one is what applications show
  fail_unless_equals_string(error.source.c_str(), "src");
  fail_unless_equals_string(error.domain.c_str(), "gst-resource-error-quark");
  fail_unless_equals_int(error.code, refusal.code);
  if (error.text.find(refusal.text) == std::string::npos)
    ck_abort_msg("\"%s\" does not name \"%s\"", error.text.c_str(), refusal.text);
  guint status = 0;
  fail_unless(gst_structure_get_uint(error.structure, "http-status-code", &status));
  fail_unless(gst_structure_has_field_typed(error.structure, "kind", G_TYPE_STRING));
  fail_unless_equals_int(status, refusal.status);
  fail_unless(gst_structure_has_field(error.structure, "client-request-id"));
  fail_unless(pipeline.position("error") < pipeline.position("progress-error"));
  check_progress_grammar(pipeline, "progress-error");
  fail_unless_equals_int(service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_failed_generation_says_why) {
  FakeService service;
  service.onPoll = [](const Seen &, Answer &answer) {
    answer.json(200, R"({"id":"gen","status":"error","error":{"name":"Moderation","message":"sensitive content"}})");
  };
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  const Event error = pipeline.waitFor("error");
  fail_unless_equals_int(error.code, GST_RESOURCE_ERROR_FAILED);
  fail_unless(error.text.find("sensitive content") != std::string::npos);
  fail_unless(error.text.find("not billed") != std::string::npos);
  const char *id = gst_structure_get_string(error.structure, "generation-id");
  fail_unless_equals_string(id, "gen/1:model");
}
GST_END_TEST

GST_START_TEST(wrong_settings_are_refused_before_anything_is_sent) {
  FakeService service;
  Pipeline pipeline(service, "SRC duration=7 tail-image=no-such.png ! fakesink");
  fail_unless_equals_int(pipeline.setState(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  const Event error = pipeline.waitFor("error");
  fail_unless_equals_int(error.code, GST_RESOURCE_ERROR_SETTINGS);
  // all problems at once
  fail_unless(error.text.find("duration is \"7\", allowed are 5, 10") != std::string::npos);
  fail_unless(error.text.find("takes no tail-image") != std::string::npos);
  fail_unless(service.server.requests().empty());
  fail_if(pipeline.happened("progress-start"));
}
GST_END_TEST

GST_START_TEST(a_missing_image_is_an_error_before_anything_is_sent) {
  FakeService service;
  Pipeline pipeline(service, "SRC ! fakesink");
  g_object_set(pipeline.source(), "model", "kling-video/v1/pro/image-to-video", "image", "/nowhere/mona.jpg", nullptr);
  pipeline.setState(GST_STATE_PLAYING);
  const Event error = pipeline.waitFor("error");
  fail_unless_equals_int(error.code, GST_RESOURCE_ERROR_NOT_FOUND);
  fail_unless(error.text.find("/nowhere/mona.jpg") != std::string::npos);
  // where it arose, and not where it was posted
  fail_unless(error.debug.find("media_file.cpp(") != std::string::npos, "%s", error.debug.c_str());
  pipeline.waitFor("progress-error");
  check_progress_grammar(pipeline, "progress-error");
  fail_unless(service.server.requests().empty());
}
GST_END_TEST

GST_START_TEST(without_a_key_the_error_says_where_to_put_one) {
  FakeService service;
  Pipeline pipeline(service, "SRC ! fakesink");
  g_object_set(pipeline.source(), "api-key", nullptr, nullptr);
  fail_unless_equals_int(pipeline.setState(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  const Event error = pipeline.waitFor("error");
  fail_unless_equals_int(error.code, GST_RESOURCE_ERROR_NOT_AUTHORIZED);
  fail_unless(error.text.find("AIMLAPI_KEY") != std::string::npos);
}
GST_END_TEST

GST_START_TEST(a_service_out_of_reach_is_named_with_the_cause) {
  FakeService service;
  Pipeline pipeline(service, "SRC ! fakesink");
  g_object_set(pipeline.source(), "base-url", "https://no-such-host.invalid", nullptr);
  pipeline.setState(GST_STATE_PLAYING);
  const Event error = pipeline.waitFor("error");
  fail_unless_equals_int(error.code, GST_RESOURCE_ERROR_OPEN_READ);
  fail_unless(error.text.find("no-such-host.invalid") != std::string::npos);
}
GST_END_TEST

GST_START_TEST(each_state_is_told_in_an_element_message) {
  FakeService service;
  service.clip = clipNamed("faststart");
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  std::vector<std::string> states;
  const GstStructure *last = nullptr;
  const auto events = pipeline.events();
  for (const Event &event : events) {
    if (event.what != "element" || !gst_structure_has_name(event.structure, "aimlvideo-generation"))
      continue;
    const std::string state = gst_structure_get_string(event.structure, "status");
    if (states.empty() || states.back() != state)
      states.push_back(state); // during the download it is told more than once
    last = event.structure;
  }
  const std::vector<std::string> expected{"submitting", "queued", "generating", "downloading", "completed"};
  fail_unless(states == expected);
  fail_unless_equals_string(gst_structure_get_string(last, "generation-id"), "gen/1:model");
  fail_unless_equals_string(gst_structure_get_string(last, "model"), "kling-video/v1.6/pro/text-to-video");
  gdouble usd = 0;
  gdouble credits = 0;
  guint64 elapsed = 0;
  gboolean reused = TRUE;
  fail_unless(gst_structure_get(last, "usd-spent", G_TYPE_DOUBLE, &usd, "credits-used", G_TYPE_DOUBLE, &credits,
                                "elapsed", G_TYPE_UINT64, &elapsed, "reused", G_TYPE_BOOLEAN, &reused, nullptr));
  fail_unless_equals_float(usd, 0.91);
  fail_unless_equals_float(credits, 1820000);
  fail_unless(elapsed > 0);
  fail_if(reused);
}
GST_END_TEST

GST_START_TEST(status_id_and_statistics_can_be_read) {
  FakeService service;
  service.clip = clipNamed("faststart");
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  char *id = nullptr;
  GstStructure *statistics = nullptr;
  GValue status = G_VALUE_INIT;
  g_object_get_property(G_OBJECT(pipeline.source()), "status", &status);
  g_object_get(pipeline.source(), "current-generation-id", &id, "statistics", &statistics, nullptr);
  const GEnumValue *nick =
      g_enum_get_value(static_cast<GEnumClass *>(g_type_class_peek(G_VALUE_TYPE(&status))), g_value_get_enum(&status));
  fail_unless_equals_string(nick->value_nick, "completed");
  fail_unless_equals_string(id, "gen/1:model");
  guint64 bytes = 0;
  guint polls = 0;
  fail_unless(gst_structure_get(statistics, "bytes", G_TYPE_UINT64, &bytes, "polls", G_TYPE_UINT, &polls, nullptr));
  fail_unless_equals_uint64(bytes, service.clip.size());
  fail_unless_equals_int(polls, service.polls());
  g_free(id);
  gst_structure_free(statistics);
  g_value_unset(&status);
}
GST_END_TEST

GST_START_TEST(tags_name_the_model_and_the_prompt_only_when_asked) {
  for (const bool withPrompt : {false, true}) {
    FakeService service;
    service.clip = clipNamed("faststart");
    Pipeline pipeline(service, "SRC ! fakesink");
    g_object_set(pipeline.source(), "prompt-tag", withPrompt, nullptr);
    pipeline.setState(GST_STATE_PLAYING);
    pipeline.waitFor("eos");
    const Event tag = pipeline.waitFor("tag", [](const Event &event) { return event.source == "src"; });
    GstTagList *tags = nullptr;
    gst_structure_get(tag.structure, "taglist", GST_TYPE_TAG_LIST, &tags, nullptr);
    char *encoder = nullptr;
    char *title = nullptr;
    fail_unless(gst_tag_list_get_string(tags, GST_TAG_ENCODER, &encoder));
    fail_unless_equals_string(encoder, "kling-video/v1.6/pro/text-to-video");
    fail_unless_equals_int(gst_tag_list_get_string(tags, GST_TAG_TITLE, &title), withPrompt);
    if (withPrompt)
      fail_unless_equals_string(title, "cat");
    g_free(encoder);
    g_free(title);
    gst_tag_list_unref(tags);
  }
}
GST_END_TEST

namespace {

std::string everythingLogged;

void collect(GstDebugCategory *category, GstDebugLevel level, const gchar *file, const gchar *function, gint line,
             GObject *object, GstDebugMessage *message, gpointer data) {
  static std::mutex mutex;
  gchar *text = gst_debug_log_get_line(category, level, file, function, line, object, message);
  const std::lock_guard lock(mutex);
  *static_cast<std::string *>(data) += text;
  g_free(text);
}

} // namespace

GST_START_TEST(the_key_is_nowhere) {
  const std::string key = "test-key-0123456789";
  (gst_debug_add_log_function)(collect, &everythingLogged, nullptr);
  gst_debug_set_default_threshold(GST_LEVEL_MEMDUMP);
  std::string said;
  for (const bool refused : {false, true}) {
    FakeService service;
    service.clip = clipNamed("faststart");
    if (refused)
      service.onCreate = [&](const Seen &, Answer &answer) {
        answer.json(401,
                    R"({"message":"Invalid key )" + key + ", \\u0074" + key.substr(1) + R"("})"); // as JSON spells it
      };
    Pipeline pipeline(service, "SRC ! typefind ! fakesink");
    pipeline.setState(GST_STATE_PLAYING);
    pipeline.waitFor(refused ? "error" : "eos");
    char *dot = gst_debug_bin_to_dot_data(GST_BIN(pipeline.pipeline()), GST_DEBUG_GRAPH_SHOW_VERBOSE);
    said += dot;
    g_free(dot);
    pipeline.setState(GST_STATE_NULL);
    for (const Event &event : pipeline.events()) {
      said += event.text;
      char *text = event.structure ? gst_structure_to_string(event.structure) : nullptr;
      said += text ? text : "";
      g_free(text);
    }
    for (const Seen &seen : service.server.requests())
      fail_unless_equals_int(seen.path.starts_with("/clips/"), seen.header("Authorization").empty());
  }
  gst_debug_set_default_threshold(GST_LEVEL_NONE);
  (gst_debug_remove_log_function)(collect);
  fail_unless(everythingLogged.find("aimlvideosrc") != std::string::npos);
  fail_unless(said.find("(key)") != std::string::npos); // the quoted one was seen and covered
  fail_unless(said.find(key) == std::string::npos);
  fail_unless(everythingLogged.find(key) == std::string::npos);
  GParamSpec *spec = nullptr;
  GstElement *element = gst_element_factory_make("aimlvideosrc", nullptr);
  spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), "api-key");
  fail_if(spec->flags & G_PARAM_READABLE);
  gst_object_unref(element);
}
GST_END_TEST

GST_START_TEST(autovideosrc_never_picks_it) {
  GstElementFactory *factory = gst_element_factory_find("aimlvideosrc");
  fail_unless(factory != nullptr);
  fail_unless_equals_int(gst_plugin_feature_get_rank(GST_PLUGIN_FEATURE(factory)), GST_RANK_NONE);
  fail_if(
      gst_element_factory_list_is_type(factory, GST_ELEMENT_FACTORY_TYPE_SRC | GST_ELEMENT_FACTORY_TYPE_MEDIA_VIDEO));
  gst_object_unref(factory);
}
GST_END_TEST

GST_START_TEST(progress_names_percent_and_the_id_and_once_how_to_go_on) {
  FakeService service;
  service.clip = clipNamed("faststart");
  service.pollsUntilCompleted = 3;
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  size_t advised = 0;
  size_t named = 0;
  for (const Event &event : pipeline.events()) {
    if (event.what != "progress-continue")
      continue;
    gint percent = 0;
    fail_unless(gst_structure_get_int(event.structure, "percent", &percent));
    if (event.text.find(" %") != std::string::npos)
      fail_unless(event.text.find(", " + std::to_string(percent) + " %") != std::string::npos, "%s",
                  event.text.c_str());
    const bool isNamed = event.text.find("generation gen/1:model") != std::string::npos;
    fail_unless(isNamed || named == 0, "%s", event.text.c_str());
    named += isNamed;
    advised += event.text.find("the same request goes on with it and buys nothing") != std::string::npos;
  }
  fail_unless(named >= 2);
  fail_unless_equals_int(advised, 1);
  const Event download =
      pipeline.waitFor("progress-continue", [](const Event &event) { return event.text.starts_with("downloading"); });
  fail_unless(download.text.find(", 95 %") != std::string::npos, "%s", download.text.c_str());
}
GST_END_TEST

GST_START_TEST(a_property_is_notified_of_when_it_has_changed) {
  struct Heard {
    std::vector<int> states;
    std::vector<std::string> ids;
    int others = 0;
  } heard;
  FakeService service;
  service.clip = clipNamed("faststart");
  service.pollsUntilCompleted = 3;
  Pipeline pipeline(service, "SRC ! fakesink");
  const auto hear = +[](GObject *source, GParamSpec *spec, gpointer data) {
    auto *all = static_cast<Heard *>(data);
    if (g_str_equal(spec->name, "status")) {
      g_object_get(source, "status", &all->states.emplace_back(-1), nullptr);
    } else if (g_str_equal(spec->name, "current-generation-id")) {
      char *id = nullptr;
      g_object_get(source, "current-generation-id", &id, nullptr);
      all->ids.emplace_back(id ? id : "");
      g_free(id);
    } else if (!g_str_equal(spec->name, "statistics")) {
      ++all->others;
    }
  };
  g_signal_connect(pipeline.source(), "notify", G_CALLBACK(hear), &heard);
  g_object_set(pipeline.source(), "prompt", "cat", "duration", 0, "prompt-tag", FALSE, nullptr); // as they are
  fail_unless_equals_int(heard.others, 0);
  g_object_set(pipeline.source(), "duration", 10, "prompt-tag", TRUE, nullptr);
  fail_unless_equals_int(heard.others, 2);
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless(heard.ids == std::vector<std::string>{"gen/1:model"}, "%zu", heard.ids.size());
  fail_unless(heard.states.size() >= 3);
  fail_unless(std::adjacent_find(heard.states.begin(), heard.states.end()) == heard.states.end());
}
GST_END_TEST

static Suite *bus_suite() {
  Suite *suite = suite_create("bus");
  TCase *tests = tcase_create("messages");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, progress_has_one_start_and_completes_before_the_first_buffer);
  tcase_add_loop_test(tests, a_refusal_is_one_error_with_its_cause_and_then_the_end_of_progress, 0,
                      G_N_ELEMENTS(refusals));
  tcase_add_test(tests, a_failed_generation_says_why);
  tcase_add_test(tests, wrong_settings_are_refused_before_anything_is_sent);
  tcase_add_test(tests, a_missing_image_is_an_error_before_anything_is_sent);
  tcase_add_test(tests, without_a_key_the_error_says_where_to_put_one);
  tcase_add_test(tests, a_service_out_of_reach_is_named_with_the_cause);
  tcase_add_test(tests, each_state_is_told_in_an_element_message);
  tcase_add_test(tests, status_id_and_statistics_can_be_read);
  tcase_add_test(tests, tags_name_the_model_and_the_prompt_only_when_asked);
  tcase_add_test(tests, the_key_is_nowhere);
  tcase_add_test(tests, progress_names_percent_and_the_id_and_once_how_to_go_on);
  tcase_add_test(tests, a_property_is_notified_of_when_it_has_changed);
  tcase_add_test(tests, autovideosrc_never_picks_it);
  return suite;
}

GST_CHECK_MAIN(bus)
