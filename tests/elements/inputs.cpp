// SPDX-License-Identifier: LGPL-2.1-or-later
// What an application gives the element beside texts: samples, presets, a cap on the price.
#include "support/check.h"

#include <gst/video/video.h>

#include "api/canonical.h"
#include "base/json/node.h"
#include "support/pipeline.h"
#include "unit/images.h"
#include "unit/unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

namespace {

GstSample *sampleOf(const std::string &bytes, const char *caps) {
  GstBuffer *buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
  GstCaps *format = gst_caps_from_string(caps);
  GstSample *sample = gst_sample_new(buffer, format, nullptr, nullptr);
  gst_caps_unref(format);
  gst_buffer_unref(buffer);
  return sample;
}

void give(const Pipeline &pipeline, GstSample *sample) {
  g_object_set(pipeline.source(), "image-sample", sample, nullptr);
  gst_sample_unref(sample);
}

/// What the service got as the first frame.
std::string submittedImage(const FakeService &service) {
  for (const Seen &request : service.server.requests())
    if (request.method == "POST")
      return json::scalarText(json::member(json::objectIn(json::parse(request.body).value().get()), "image_url"))
          .value_or("");
  return "";
}

constexpr auto imageLine = "SRC model=klingai/video-v2-6-pro-image-to-video ! fakesink";
constexpr auto rgbCaps = "video/x-raw,format=RGB,width=4,height=2,framerate=0/1";

} // namespace

GST_START_TEST(an_encoded_sample_is_sent_byte_for_byte) {
  FakeService service;
  Pipeline pipeline(service, imageLine);
  give(pipeline, sampleOf(fromBase64(tinyJpeg), "image/jpeg"));
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless_equals_text(submittedImage(service), dataUri("image/jpeg", tinyJpeg));
}
GST_END_TEST

GST_START_TEST(a_frame_of_raw_video_is_sent_as_png) {
  FakeService service;
  Pipeline pipeline(service, imageLine);
  give(pipeline, sampleOf(std::string(24, '\x7f'), rgbCaps));
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless(submittedImage(service).starts_with("data:image/png;base64,iVBOR"));
}
GST_END_TEST

GST_START_TEST(the_same_frame_is_the_same_request_and_another_is_another) {
  FakeService service;
  Pipeline pipeline(service, imageLine);
  for (const auto &[pixel, purchases] : {std::pair('\x10', 1), {'\x10', 1}, {'\x20', 2}}) {
    give(pipeline, sampleOf(std::string(24, pixel), rgbCaps));
    pipeline.setState(GST_STATE_PLAYING);
    pipeline.waitFor("eos");
    pipeline.setState(GST_STATE_READY);
    pipeline.forgetEvents();
    fail_unless_equals_int(service.purchases(), purchases);
  }
}
GST_END_TEST

GST_START_TEST(a_sample_that_is_no_image_is_an_error_before_anything_is_sent) {
  const std::pair<const char *, const char *> wrong[] = {{"audio/x-raw", "it contains audio/x-raw"},
                                                         {"image/gif", "its content is not one of"},
                                                         {"video/x-h264", "video/x-h264"}};
  for (const auto &[caps, text] : wrong) {
    FakeService service;
    Pipeline pipeline(service, imageLine);
    give(pipeline, sampleOf("nothing", caps));
    pipeline.setState(GST_STATE_PLAYING);
    const Event error = pipeline.waitFor("error");
    fail_unless_contains(error.text, "image-sample");
    fail_unless_contains(error.text, text);
    fail_unless_equals_int(service.purchases(), 0);
  }
}
GST_END_TEST

GST_START_TEST(an_image_and_a_sample_exclude_each_other) {
  FakeService service;
  Pipeline pipeline(service, "SRC model=klingai/video-v2-6-pro-image-to-video image=https://h/i.png ! fakesink");
  give(pipeline, sampleOf(fromBase64(tinyJpeg), "image/jpeg"));
  fail_unless(pipeline.setState(GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
  fail_unless_contains(pipeline.waitFor("error").text, "image and image-sample are both set");
}
GST_END_TEST

GST_START_TEST(a_cap_that_is_no_amount_buys_nothing) {
  for (const char *cap : {"nan", "-1", "-0.01", "-inf"}) {
    FakeService service;
    Pipeline pipeline(service, "SRC max-cost=" + std::string(cap) + " ! fakesink");
    pipeline.setState(GST_STATE_PLAYING);
    fail_unless_contains(pipeline.waitFor("error").text, "max-cost can't be used: it is not an amount");
    fail_unless_equals_int(service.purchases(), 0);
  }
}
GST_END_TEST

GST_START_TEST(an_unknown_model_is_a_warning) {
  FakeService service;
  Pipeline pipeline(service, "SRC model=acme/new ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless_contains(pipeline.waitFor("warning").text, "acme/new is not in the catalogue");
  fail_unless_equals_int(service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(an_unknown_parameter_is_a_warning_and_with_strict_an_error) {
  FakeService service;
  for (const bool strict : {false, true}) {
    Pipeline pipeline(service, "SRC ! fakesink");
    g_object_set(pipeline.source(), "parameters", R"({"lighting":"soft"})", "strict", strict, nullptr);
    if (strict) {
      fail_unless(pipeline.setState(GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE);
      fail_unless_contains(pipeline.waitFor("error").text, "no parameter lighting");
      continue;
    }
    pipeline.setState(GST_STATE_PLAYING);
    pipeline.waitFor("eos");
    fail_unless_contains(pipeline.waitFor("warning").text, "has no parameter lighting");
    fail_unless_equals_int(service.purchases(), 1);
  }
  fail_unless_equals_int(service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_preset_holds_what_is_to_be_made_and_no_secret) {
  FakeService service;
  Pipeline pipeline(service, "SRC ! fakesink");
  GstPreset *preset = GST_PRESET(pipeline.source());
  char **names = gst_preset_get_property_names(preset);
  const auto has = [names](const char *name) {
    return g_strv_contains(names, name);
  };
  fail_unless(has("model") && has("prompt") && has("parameters"));
  for (const char *never : {"api-key", "api-key-file", "extra-headers", "base-url", "proxy", "generation-id", "image"})
    fail_if(has(never), "%s", never);
  g_strfreev(names);

  g_object_set(pipeline.source(), "api-key", "preset-key-8c1f", "model", "video-01", nullptr);
  fail_unless(gst_preset_save_preset(preset, "mine"));
  char *folder = g_build_filename(g_get_user_data_dir(), "gstreamer-1.0", "presets", "GstAimlVideoSrc.prs", nullptr);
  char *text = nullptr;
  fail_unless(g_file_get_contents(folder, &text, nullptr, nullptr), "%s", folder);
  fail_unless_contains(text, "video-01");
  fail_if(contains(text, "preset-key-8c1f"));
  fail_unless(gst_preset_delete_preset(preset, "mine"));
  g_free(text);
  g_free(folder);
}
GST_END_TEST

static Suite *inputs_suite() {
  Suite *suite = suite_create("inputs");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, an_encoded_sample_is_sent_byte_for_byte);
  tcase_add_test(tests, a_frame_of_raw_video_is_sent_as_png);
  tcase_add_test(tests, the_same_frame_is_the_same_request_and_another_is_another);
  tcase_add_test(tests, a_sample_that_is_no_image_is_an_error_before_anything_is_sent);
  tcase_add_test(tests, an_image_and_a_sample_exclude_each_other);
  tcase_add_test(tests, a_cap_that_is_no_amount_buys_nothing);
  tcase_add_test(tests, an_unknown_model_is_a_warning);
  tcase_add_test(tests, an_unknown_parameter_is_a_warning_and_with_strict_an_error);
  tcase_add_test(tests, a_preset_holds_what_is_to_be_made_and_no_secret);
  return suite;
}

GST_CHECK_MAIN(inputs)
