// SPDX-License-Identifier: LGPL-2.1-or-later
// What an application sets as a secret is in no debug message, whatever its level and category, in no message on the
// bus and in no drawing of the pipeline.
#include "support/check.h"
#include "support/pipeline.h"

using namespace aimlvideo::test;

namespace {

constexpr auto key = "secret-key-5b2e71c4";
constexpr auto header = "secret-header-93ac0d";

/// All that GStreamer's debug log is given, at the highest level of every category.
class WholeLog {
public:
  WholeLog() {
    (gst_debug_remove_log_function)(gst_debug_log_default);
    (gst_debug_add_log_function)(collect, this, nullptr);
    gst_debug_set_default_threshold(GST_LEVEL_MEMDUMP);
    gst_debug_set_active(TRUE);
  }
  WholeLog(const WholeLog &) = delete;
  WholeLog &operator=(const WholeLog &) = delete;
  ~WholeLog() {
    gst_debug_set_active(FALSE);
    (gst_debug_remove_log_function)(collect);
  }

  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

private:
  static void collect(GstDebugCategory *category, GstDebugLevel, const char *, const char *, int, GObject *,
                      GstDebugMessage *message, gpointer self) {
    // composing the text may log, too
    const std::string line = std::string(gst_debug_category_get_name(category)) + " " + gst_debug_message_get(message);
    auto *log = static_cast<WholeLog *>(self);
    const std::lock_guard lock(log->mutex_);
    log->text_ += line + "\n";
  }

  mutable std::mutex mutex_;
  std::string text_;
};

void expectNoSecret(const std::string &text, const char *where) {
  for (const char *secret : {key, header}) {
    const size_t at = text.find(secret);
    fail_unless(at == std::string::npos, "%s: %s", where,
                at == std::string::npos ? "" : text.substr(at > 200 ? at - 200 : 0, 300).c_str());
  }
}

/// What the service answers to a submission, and how the pipeline ends.
struct Ending {
  unsigned status;
  const char *event;
};
const Ending endings[] = {{200, "eos"}, {401, "error"}, {400, "error"}};

} // namespace

GST_START_TEST(no_secret_is_in_a_log_a_message_or_a_drawing) {
  const Ending &ending = endings[__i__];
  FakeService service;
  service.clip = clipNamed("faststart");
  if (ending.status != 200)
    service.onCreate = [&](const Seen &, Answer &answer) {
      // a service that quotes what it was sent
      answer.json(ending.status, std::string(R"({"message":"no )") + key + " " + header + R"("})");
    };
  const WholeLog log;
  {
    Pipeline pipeline(service, "SRC ! typefind ! fakesink");
    GstStructure *headers = gst_structure_new("extra-headers", "X-Gateway", G_TYPE_STRING, header, nullptr);
    g_object_set(pipeline.source(), "api-key", key, "extra-headers", headers, nullptr);
    gst_structure_free(headers);
    pipeline.setState(GST_STATE_PLAYING);
    pipeline.waitFor(ending.event);
    char *drawing = gst_debug_bin_to_dot_data(GST_BIN(pipeline.pipeline()), GST_DEBUG_GRAPH_SHOW_ALL);
    expectNoSecret(drawing, "the drawing");
    g_free(drawing);
    for (const Event &event : pipeline.events()) {
      expectNoSecret(event.text, event.what.c_str());
      if (!event.structure)
        continue;
      char *details = gst_structure_to_string(event.structure);
      expectNoSecret(details, event.what.c_str());
      g_free(details);
    }
    pipeline.setState(GST_STATE_NULL);
  }
  const Seen submission = service.server.requests()[0];
  fail_unless(submission.header("Authorization") == std::string("Bearer ") + key);
  fail_unless(submission.header("X-Gateway") == header);
  fail_unless(log.text().find("aimlvideosrc") != std::string::npos);
  expectNoSecret(log.text(), "the log");
}
GST_END_TEST

// the last one is no URI
constexpr const char *proxies[] = {"http://user:secret-key-5b2e71c4@127.0.0.1:1",
                                   "http://secret-key-5b2e71c4@127.0.0.1:1",
                                   "http://user:secret-key-5b2e71c4@[127.0.0.1:1"};

GST_START_TEST(a_proxys_password_is_in_nothing_that_shows_the_element) {
  const FakeService service;
  const WholeLog log;
  {
    Pipeline pipeline(service, "SRC timeout=1 ! fakesink");
    g_object_set(pipeline.source(), "base-url", "https://service.invalid", "proxy", proxies[__i__], nullptr);
    char *proxy = nullptr;
    g_object_get(pipeline.source(), "proxy", &proxy, nullptr);
    fail_unless_equals_string(proxy, __i__ == 2 ? "***" : "http://127.0.0.1:1");
    g_free(proxy);
    pipeline.setState(GST_STATE_PLAYING);
    const Event error = pipeline.waitFor("error");
    expectNoSecret(error.text, "the error");
    char *drawing = gst_debug_bin_to_dot_data(GST_BIN(pipeline.pipeline()), GST_DEBUG_GRAPH_SHOW_ALL);
    expectNoSecret(drawing, "the drawing");
    g_free(drawing);
    char *details = gst_structure_to_string(error.structure);
    expectNoSecret(details, "the details");
    g_free(details);
  }
  expectNoSecret(log.text(), "the log");
}
GST_END_TEST

static Suite *secrets_suite() {
  Suite *suite = suite_create("secrets");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, no_secret_is_in_a_log_a_message_or_a_drawing, 0, G_N_ELEMENTS(endings));
  tcase_add_loop_test(tests, a_proxys_password_is_in_nothing_that_shows_the_element, 0, G_N_ELEMENTS(proxies));
  return suite;
}

GST_CHECK_MAIN(secrets)
