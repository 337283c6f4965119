// SPDX-License-Identifier: LGPL-2.1-or-later
// The clip plays while it arrives: layouts, hosts, seeks and ends while the download is under way. What a host sends is
// held at a place until the test has seen what has to happen before the rest.
#include <algorithm>
#include <memory>

#include <gst/check/gstharness.h>

#include "support/check.h"
#include "support/clip_server.h"
#include "support/pipeline.h"

using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

/// A service whose clip lies on a host with manners.
struct Scene {
  std::string clip;
  ClipServer host;
  FakeService service;

  explicit Scene(const std::string &layout, ClipServer::Manners manners = {}, ClipLine line = {})
      : clip(clipNamed(layout)), host(clip, std::move(manners), line) {
    service.pollsUntilCompleted = 0;
    service.clip = clip;
    service.clipAddress = host.url() + "/clip.mp4?sig=a";
  }
};

void allOfIt(const std::string &clip, ClipAnswer &answer) {
  answer.status = 200;
  answer.contentRange.clear();
  answer.first = 0;
  answer.end = clip.size();
}

/// The clip's last byte never comes, unless as a part.
ClipServer::Manners neverEnding(uint64_t stallAt) {
  return [stallAt](const ClipRequest &request, ClipAnswer &answer) {
    if (request.first == 0)
      answer.stallAfter = stallAt;
  };
}

bool isDownload(const Event &event) {
  return event.what == "element" && gst_structure_has_name(event.structure, "aimlvideo-generation") &&
         g_strcmp0(gst_structure_get_string(event.structure, "status"), "downloading") == 0;
}

bool isCompletion(const Event &event) {
  return gst_structure_has_name(event.structure, "aimlvideo-generation") &&
         g_strcmp0(gst_structure_get_string(event.structure, "status"), "completed") == 0;
}

std::string statusOf(const Pipeline &pipeline) {
  GValue value = G_VALUE_INIT;
  g_object_get_property(G_OBJECT(pipeline.source()), "status", &value);
  const std::string nick =
      g_enum_get_value(static_cast<GEnumClass *>(g_type_class_peek(G_VALUE_TYPE(&value))), g_value_get_enum(&value))
          ->value_nick;
  g_value_unset(&value);
  return nick;
}

bool seekTo(const Pipeline &pipeline, double seconds) {
  return gst_element_seek_simple(pipeline.pipeline(), GST_FORMAT_TIME,
                                 static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT),
                                 static_cast<gint64>(seconds * GST_SECOND));
}

struct Case {
  const char *layout;
  const char *line;
};

const Case early[] = {
    {"moov-first-large", "SRC ! parsebin ! fakesink"},
    {"moov-first-large", "SRC ! queue ! qtdemux ! h264parse ! fakesink"},
    {"moov-last-large", "SRC ! parsebin ! fakesink"},
    {"moov-last-large", "SRC ! queue ! qtdemux ! h264parse ! fakesink"},
    {"fragmented-large", "SRC ! parsebin ! fakesink"},
    {"fragmented-large", "SRC ! queue ! qtdemux ! h264parse ! fakesink"},
};

const Case whole[] = {
    {"moov-last-large", "SRC ! parsebin ! fakesink"},
    {"moov-last-large", "SRC ! queue ! parsebin ! fakesink"},
    {"fragmented-large", "SRC ! qtdemux ! h264parse ! fakesink"},
    {"hevc", "SRC ! decodebin ! fakesink"},
    {"hevc", "SRC ! queue ! decodebin ! fakesink"},
    {"moov-last", "SRC ! parsebin ! fakesink"}, // without sound
    {"moov-first-large", "SRC ! qtdemux name=d d.video_0 ! queue ! fakesink d.audio_0 ! queue ! fakesink"},
    {"moov-last-large", "SRC ! qtdemux name=d d.video_0 ! queue ! fakesink d.audio_0 ! queue ! fakesink"},
    {"fragmented-large", "SRC ! qtdemux name=d d.video_0 ! queue ! fakesink d.audio_0 ! queue ! fakesink"},
};

} // namespace

GST_START_TEST(the_first_frame_does_not_wait_for_the_rest) {
  // the head never brings more than 4 MB
  Scene scene(early[__i__].layout, neverEnding(4'000'000));
  Pipeline pipeline(scene.service, early[__i__].line);
  pipeline.setState(GST_STATE_PAUSED);
  pipeline.waitFor("async-done");
  fail_unless_equals_text(statusOf(pipeline), "downloading");
  fail_unless(pipeline.position("progress-complete") < pipeline.position("buffer"));
  fail_unless(pipeline.position("duration-changed") < pipeline.position("buffer"));
  fail_unless(scene.host.bytesSent() < scene.clip.size() / 2);
  const bool marked = !std::string_view(early[__i__].layout).starts_with("fragmented"); // these end in an index
  fail_unless_equals_int(pipeline.size() > scene.clip.size(), marked);
  fail_if(pipeline.happened("error"));
}
GST_END_TEST

GST_START_TEST(every_layout_plays_to_its_end_from_a_host_that_cuts) {
  Scene scene(whole[__i__].layout, [](const ClipRequest &, ClipAnswer &answer) { answer.cutAfter = 3'000'000; });
  Pipeline pipeline(scene.service, whole[__i__].line);
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_if(pipeline.happened("error"));
}
GST_END_TEST

GST_START_TEST(a_moov_at_the_end_takes_two_requests_and_a_moov_at_the_start_one) {
  const bool last = __i__ == 1;
  Scene scene(last ? "moov-last-large" : "moov-first-large");
  Pipeline pipeline(scene.service, "SRC ! parsebin ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  pipeline.waitFor("element", isCompletion);
  fail_unless(scene.host.requests().size() <= (last ? 2U : 1U));
  fail_unless(scene.host.bytesSent() <= scene.clip.size() + 64 * 1024);
}
GST_END_TEST

GST_START_TEST(without_parts_or_length_every_layout_plays_nevertheless) {
  const char *const layouts[] = {"moov-first-large", "moov-last-large", "fragmented-large", "moov-last-large"};
  const bool lengthless = __i__ == 3;
  Scene scene(layouts[__i__]);
  scene.host.setManners([&](const ClipRequest &, ClipAnswer &answer) {
    allOfIt(scene.clip, answer);
    answer.headers.clear();
    answer.tellsLength = !lengthless;
  });
  Pipeline pipeline(scene.service, "SRC ! parsebin ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_if(pipeline.happened("error"));
  fail_unless(scene.host.requests().size() <= 2);
}
GST_END_TEST

GST_START_TEST(the_bytes_are_those_of_the_host_at_any_blocksize) {
  const int sizes[] = {1000, 65'536, 300'001, 4 << 20};
  Scene scene("moov-last-large", [](const ClipRequest &request, ClipAnswer &answer) {
    answer.cutAfter = 2'000'000 + request.number * 77'777;
  });
  GstHarness *harness = gst_harness_new("aimlvideosrc");
  const std::string url = scene.service.server.url();
  g_object_set(harness->element, "api-key", "k", "prompt", "cat", "poll-interval", 100, "base-url", url.c_str(),
               "blocksize", sizes[__i__], "model", "kling-video/v1.6/pro/text-to-video", nullptr);
  gst_harness_play(harness);
  uint64_t received = 0;
  while (received < scene.clip.size()) {
    GstBuffer *buffer = gst_harness_pull(harness);
    fail_unless(buffer != nullptr);
    fail_unless_equals_uint64(GST_BUFFER_OFFSET(buffer), received);
    fail_unless(gst_buffer_memcmp(buffer, 0, scene.clip.data() + received, gst_buffer_get_size(buffer)) == 0);
    received += gst_buffer_get_size(buffer);
    gst_buffer_unref(buffer);
  }
  fail_unless_equals_uint64(received, scene.clip.size());
  gst_harness_teardown(harness);
}
GST_END_TEST

GST_START_TEST(a_buffer_can_be_written_to_and_the_clip_stays) {
  Scene scene("moov-last-large");
  Pipeline pipeline(scene.service, "SRC ! fakesink name=sink");
  GstPad *pad = gst_element_get_static_pad(pipeline.source(), "src");
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      +[](GstPad *, GstPadProbeInfo *info, gpointer) {
        GstBuffer *buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
        gst_buffer_memset(buffer, 0, 0xaa, 16);
        GST_PAD_PROBE_INFO_DATA(info) = buffer;
        return GST_PAD_PROBE_OK;
      },
      nullptr, nullptr);
  gst_object_unref(pad);
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  pipeline.setState(GST_STATE_READY);
  pipeline.forgetEvents();
  const size_t requests = scene.host.requests().size();
  // replayed from the store, and whole
  Pipeline again(scene.service, "SRC ! qtdemux ! h264parse ! fakesink");
  again.setState(GST_STATE_PLAYING);
  again.waitFor("eos");
  fail_if(again.happened("error"));
  fail_unless_equals_int(scene.host.requests().size(), requests);
}
GST_END_TEST

GST_START_TEST(a_seek_back_while_it_arrives_reads_what_is_there) {
  Scene scene("moov-last-large", neverEnding(12'000'000));
  Pipeline pipeline(scene.service, early[__i__ + 2].line);
  pipeline.setState(GST_STATE_PAUSED);
  pipeline.waitFor("async-done");
  fail_unless(scene.host.bytesSent() < scene.clip.size());
  scene.host.waitForStall();
  const size_t requests = scene.host.requests().size();
  for (int i = 0; i < 3; ++i) {
    pipeline.forgetEvents();
    fail_unless(seekTo(pipeline, 0));
    pipeline.waitFor("async-done");
  }
  fail_unless_equals_int(scene.host.requests().size(), requests);
  fail_unless_equals_text(statusOf(pipeline), "downloading");
}
GST_END_TEST

GST_START_TEST(a_seek_ahead_while_it_arrives_does_not_wait_for_what_lies_between) {
  Scene scene("moov-first-large", {}, ClipLine{5ms, 4e6});
  Pipeline pipeline(scene.service, early[__i__].line);
  pipeline.setState(GST_STATE_PAUSED);
  pipeline.waitFor("async-done");
  pipeline.forgetEvents();
  fail_unless(seekTo(pipeline, 4.5));
  pipeline.waitFor("async-done");
  fail_unless(scene.host.bytesSent() < scene.clip.size());
  gint64 position = -1;
  fail_unless(gst_element_query_position(pipeline.pipeline(), GST_FORMAT_TIME, &position));
  fail_unless(position >= 2 * GST_SECOND);
}
GST_END_TEST

GST_START_TEST(a_storm_of_seeks_ends_at_the_last_place_and_with_a_right_clip) {
  Scene scene(
      "moov-last-large", [](const ClipRequest &, ClipAnswer &answer) { answer.cutAfter = 4'000'000; },
      ClipLine{1ms, 30e6});
  Pipeline pipeline(scene.service, __i__ == 0 ? "SRC ! parsebin ! fakesink" : "SRC ! queue ! parsebin ! fakesink");
  pipeline.setState(GST_STATE_PAUSED);
  pipeline.waitFor("async-done");
  const double places[] = {4, 1, 3, 0, 4.5, 2, 4.9, 0.5};
  for (int i = 0; i < 40; ++i)
    fail_unless(seekTo(pipeline, places[i % 8]));
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_if(pipeline.happened("error"));
  pipeline.waitFor("element", isCompletion);
  fail_unless(scene.host.requests().size() < 200);
  pipeline.setState(GST_STATE_NULL);

  const size_t requests = scene.host.requests().size();
  Pipeline again(scene.service, "SRC ! fakesink");
  again.setState(GST_STATE_PLAYING);
  again.waitFor("eos");
  fail_unless(again.size() > scene.clip.size());
  fail_unless_equals_uint64(again.bytes(), again.size());
  fail_unless_equals_int(scene.host.requests().size(), requests);
}
GST_END_TEST

GST_START_TEST(a_flushing_seek_by_bytes_does_not_restart_the_download) {
  Scene scene("moov-last-large", neverEnding(6'000'000));
  Pipeline pipeline(scene.service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  scene.host.waitForStall();
  for (const gint64 offset : {0, 100, 5'000'000, 7})
    fail_unless(gst_element_seek_simple(pipeline.source(), GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH, offset));
  pipeline.setState(GST_STATE_PAUSED);
  // the other is for the box behind the media, which tells whether a mark can follow
  const auto requests = scene.host.requests();
  fail_unless(requests.size() <= 2);
  fail_unless(requests.size() == 1 || requests[1].first > scene.clip.size() / 2);
  fail_unless_equals_int(pipeline.count("progress-complete"), 1);
}
GST_END_TEST

GST_START_TEST(progress_ends_with_the_first_bytes_and_messages_go_on_at_most_five_a_second) {
  Scene scene("moov-last-large", {}, ClipLine{0ms, 20e6});
  Pipeline pipeline(scene.service, "SRC ! fakesink");
  const auto begin = std::chrono::steady_clock::now();
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const auto events = pipeline.events();
  size_t downloads = 0;
  guint64 before = 0;
  for (size_t i = 0; i < events.size(); ++i) {
    if (events[i].what.starts_with("progress-"))
      fail_unless(i <= pipeline.position("progress-complete"));
    if (!isDownload(events[i]))
      continue;
    guint64 bytes = 0;
    guint64 total = 0;
    gint percent = 0;
    guint64 rate = 0;
    if (!gst_structure_get(events[i].structure, "bytes", G_TYPE_UINT64, &bytes, "bytes-total", G_TYPE_UINT64, &total,
                           "percent", G_TYPE_INT, &percent, "rate", G_TYPE_UINT64, &rate, nullptr))
      continue; // the change of state, before the first byte
    ++downloads;
    fail_unless(bytes > before && rate > 0);
    fail_unless_equals_uint64(total, scene.clip.size());
    fail_unless_equals_int(percent, static_cast<int>(bytes * 100 / total));
    before = bytes;
  }
  fail_unless(downloads >= 1);
  fail_unless(static_cast<double>(downloads) <= seconds * 5 + 1);
  GstStructure *statistics = nullptr;
  g_object_get(pipeline.source(), "statistics", &statistics, nullptr);
  guint64 total = 0;
  fail_unless(gst_structure_get(statistics, "bytes-total", G_TYPE_UINT64, &total, nullptr));
  fail_unless_equals_uint64(total, scene.clip.size());
  gst_structure_free(statistics);
}
GST_END_TEST

GST_START_TEST(a_fault_after_the_first_buffer_is_the_one_error_with_its_cause) {
  const bool pushed = __i__ == 0;
  Scene scene("moov-last-large");
  const std::string other = clipNamed("moov-first-large").substr(0, scene.clip.size());
  scene.host.setManners([&](const ClipRequest &request, ClipAnswer &answer) {
    if (request.first > 16'000'000)
      return; // the moov
    if (request.number == 1) {
      answer.cutAfter = 8'000'000;
      return;
    }
    allOfIt(scene.clip, answer);
    answer.text = other;
  });
  Pipeline pipeline(scene.service,
                    pushed ? "SRC ! queue ! qtdemux ! h264parse ! fakesink" : "SRC ! parsebin ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  const Event error = pipeline.waitFor("error");
  fail_unless_equals_string(error.source.c_str(), "src");
  fail_unless_equals_int(error.code, GST_RESOURCE_ERROR_READ);
  fail_unless(error.text.find("has changed since the download began") != std::string::npos, "%s", error.text.c_str());
  fail_unless(pipeline.position("progress-complete") < pipeline.position("error"));
  fail_if(pipeline.happened("progress-error"));
  fail_unless_equals_text(statusOf(pipeline), "failed");
}
GST_END_TEST

GST_START_TEST(a_damaged_clip_is_an_error_before_the_end) {
  Scene scene("moov-first-large", [](const ClipRequest &, ClipAnswer &answer) {
    answer.headers.emplace_back("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==");
  });
  Pipeline pipeline(scene.service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  const Event error = pipeline.waitFor("error");
  fail_unless(error.text.find("checksum") != std::string::npos, "%s", error.text.c_str());
  // the base class ends a stream that failed with EOS, which sinks tell too
  fail_if(pipeline.happened("eos") && pipeline.position("eos") < pipeline.position("error"));
  fail_unless_equals_int(scene.service.home.clips(), 0);
}
GST_END_TEST

namespace {

/// Whether the states were left while the host still held its answer.
void stopped_while_stalled(GstState target, const char *line, ClipServer::Manners manners, ClipLine pace) {
  Scene scene("moov-last-large", std::move(manners), pace);
  Pipeline pipeline(scene.service, line);
  pipeline.setState(GST_STATE_PLAYING);
  scene.host.waitForStall();
  fail_unless_equals_int(pipeline.setState(target), GST_STATE_CHANGE_SUCCESS);
  fail_unless_equals_int(scene.host.stalled(), 1);
  // qtdemux itself may complain of a seek of its own that the end cut short
  for (const Event &event : pipeline.events())
    fail_if(event.what == "error" && event.source == "src", "%s", event.text.c_str());
  fail_unless_equals_text(statusOf(pipeline), "cancelled");
  fail_unless_equals_int(pipeline.count("progress-complete") + pipeline.count("progress-canceled"), 1);
}

const ClipServer::Manners stalls[] = {
    [](const ClipRequest &, ClipAnswer &answer) { answer.stallFirst = true; },
    [](const ClipRequest &, ClipAnswer &answer) { answer.stallAfter = 2'000'000; },
    [](const ClipRequest &request, ClipAnswer &answer) {
      if (request.first > 0)
        answer.stallAfter = 100;
    },
};

} // namespace

GST_START_TEST(null_returns_at_once_while_header_body_or_jump_stalls) {
  const bool jump = __i__ / 2 == 2;
  stopped_while_stalled(GST_STATE_NULL, __i__ % 2 ? "SRC ! queue ! qtdemux ! fakesink" : "SRC ! parsebin ! fakesink",
                        stalls[__i__ / 2], jump ? ClipLine{0ms, 4e6} : ClipLine{});
}
GST_END_TEST

GST_START_TEST(what_was_interrupted_while_it_arrived_plays_again_without_a_purchase) {
  Scene scene("moov-first-large", neverEnding(4'000'000));
  Pipeline pipeline(scene.service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PAUSED);
  pipeline.waitFor("async-done");
  pipeline.setState(GST_STATE_READY);
  fail_unless_equals_text(statusOf(pipeline), "cancelled");
  scene.host.setManners({});
  scene.host.release();
  pipeline.forgetEvents();
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless(pipeline.size() > scene.clip.size());
  fail_unless_equals_uint64(pipeline.bytes(), pipeline.size());
  fail_unless_equals_int(scene.service.purchases(), 1);
}
GST_END_TEST

static Suite *arrival_suite() {
  Suite *suite = suite_create("arrival");
  TCase *tests = tcase_create("arrival");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, the_first_frame_does_not_wait_for_the_rest, 0, G_N_ELEMENTS(early));
  tcase_add_loop_test(tests, every_layout_plays_to_its_end_from_a_host_that_cuts, 0, G_N_ELEMENTS(whole));
  tcase_add_loop_test(tests, a_moov_at_the_end_takes_two_requests_and_a_moov_at_the_start_one, 0, 2);
  tcase_add_loop_test(tests, without_parts_or_length_every_layout_plays_nevertheless, 0, 4);
  tcase_add_loop_test(tests, the_bytes_are_those_of_the_host_at_any_blocksize, 0, 4);
  tcase_add_test(tests, a_buffer_can_be_written_to_and_the_clip_stays);
  tcase_add_loop_test(tests, a_seek_back_while_it_arrives_reads_what_is_there, 0, 2);
  tcase_add_loop_test(tests, a_seek_ahead_while_it_arrives_does_not_wait_for_what_lies_between, 0, 2);
  tcase_add_loop_test(tests, a_storm_of_seeks_ends_at_the_last_place_and_with_a_right_clip, 0, 2);
  tcase_add_test(tests, a_flushing_seek_by_bytes_does_not_restart_the_download);
  tcase_add_test(tests, progress_ends_with_the_first_bytes_and_messages_go_on_at_most_five_a_second);
  tcase_add_loop_test(tests, a_fault_after_the_first_buffer_is_the_one_error_with_its_cause, 0, 2);
  tcase_add_test(tests, a_damaged_clip_is_an_error_before_the_end);
  tcase_add_loop_test(tests, null_returns_at_once_while_header_body_or_jump_stalls, 0, 6);
  tcase_add_test(tests, what_was_interrupted_while_it_arrived_plays_again_without_a_purchase);
  return suite;
}

GST_CHECK_MAIN(arrival)
