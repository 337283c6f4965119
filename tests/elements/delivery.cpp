// SPDX-License-Identifier: LGPL-2.1-or-later
// Clips of any layout in push and pull mode, size, seeking; section (d5) of the design's reference.
#include <atomic>
#include <cstdio>
#include <memory>

#include <malloc.h>
#include <sys/resource.h>

#include <gst/check/gstharness.h>

#include "support/check.h"
#include "support/pipeline.h"

using namespace aimlvideo::test;

namespace {

struct Case {
  const char *layout;
  const char *line;
  const char *mode; ///< of the source's pad
};

// queue makes a demuxer take what is pushed
const Case cases[] = {
    {"faststart", "SRC ! qtdemux ! h264parse ! fakesink", "pull"},
    {"faststart", "SRC ! queue ! qtdemux ! h264parse ! fakesink", "push"},
    {"faststart", "SRC ! decodebin ! fakesink", "pull"},
    {"faststart", "SRC ! queue ! decodebin ! fakesink", "push"},
    {"moov-last", "SRC ! qtdemux ! h264parse ! fakesink", "pull"},
    {"moov-last", "SRC ! queue ! qtdemux ! h264parse ! fakesink", "push"},
    {"moov-last", "SRC ! decodebin ! fakesink", "pull"},
    {"fragmented", "SRC ! qtdemux ! h264parse ! fakesink", "pull"},
    {"fragmented", "SRC ! queue ! qtdemux ! h264parse ! fakesink", "push"},
    {"fragmented", "SRC ! decodebin ! fakesink", "pull"},
};

std::string padMode(const Pipeline &pipeline) {
  GstPad *pad = gst_element_get_static_pad(pipeline.source(), "src");
  const std::string mode = gst_pad_mode_get_name(GST_PAD_MODE(pad));
  gst_object_unref(pad);
  return mode;
}

/// A clip by its boxes.
std::string clipOf(uint32_t size) {
  std::string clip = std::string("\0\0\0\x0c", 4) + "ftypisom" + std::string("\0\0\0\x08", 4) + "moov";
  const uint32_t media = GUINT32_TO_BE(size - static_cast<uint32_t>(clip.size()));
  clip.append(reinterpret_cast<const char *>(&media), sizeof media).append("mdat");
  clip.resize(size, 'x');
  return clip;
}

/// Page faults of the thread that pushes large buffers, from the fourth of them to the latest.
struct Faults {
  std::atomic<long> first{-1};
  std::atomic<long> latest{0};
  std::atomic<unsigned> buffers{0};

  static GstPadProbeReturn count(GstPad *, GstPadProbeInfo *info, gpointer data) {
    auto *self = static_cast<Faults *>(data);
    if (gst_buffer_get_size(GST_PAD_PROBE_INFO_BUFFER(info)) < gsize{512} * 1024)
      return GST_PAD_PROBE_OK;
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    if (++self->buffers == 4) // by now, those that a sink keeps have been made
      self->first = usage.ru_minflt;
    self->latest = usage.ru_minflt;
    return GST_PAD_PROBE_OK;
  }
};

} // namespace

GST_START_TEST(clips_of_any_layout_play_to_their_end) {
  const Case &one = cases[__i__];
  FakeService service;
  service.clip = clipNamed(one.layout);
  Pipeline pipeline(service, one.line);
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_if(pipeline.happened("error"));
  fail_unless_equals_text(padMode(pipeline), one.mode);
  fail_unless_equals_int(service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(the_bytes_are_those_of_the_host) {
  FakeService service;
  service.clip = clipNamed("moov-last");
  GstHarness *harness = gst_harness_new("aimlvideosrc");
  const std::string url = service.server.url();
  g_object_set(harness->element, "api-key", "k", "prompt", "cat", "poll-interval", 100, "base-url", url.c_str(),
               "blocksize", 1 << 20, "model", "kling-video/v1.6/pro/text-to-video", nullptr);
  gst_harness_play(harness);
  std::string received;
  while (received.size() < service.clip.size()) {
    GstBuffer *buffer = gst_harness_pull(harness);
    fail_unless(buffer != nullptr);
    fail_unless_equals_uint64(GST_BUFFER_OFFSET(buffer), received.size());
    GstMapInfo map;
    fail_unless(gst_buffer_map(buffer, &map, GST_MAP_READ));
    received.append(reinterpret_cast<const char *>(map.data), map.size);
    gst_buffer_unmap(buffer, &map);
    gst_buffer_unref(buffer);
  }
  fail_unless(received == service.clip);
  gst_harness_teardown(harness);
}
GST_END_TEST

GST_START_TEST(the_size_is_not_known_and_never_waited_for_during_the_wait) {
  FakeService service;
  service.onPoll = [](const Seen &, Answer &answer) {
    answer.hold();
  };
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  service.server.waitFor("GET", "/v2/");

  gint64 size = 0;
  fail_unless(gst_element_query_duration(pipeline.source(), GST_FORMAT_BYTES, &size));
  fail_unless_equals_int64(size, -1);
  GstQuery *scheduling = gst_query_new_scheduling();
  fail_unless(gst_element_query(pipeline.source(), scheduling));
  GstSchedulingFlags flags = {};
  gst_query_parse_scheduling(scheduling, &flags, nullptr, nullptr, nullptr);
  fail_unless_equals_int(flags, GST_SCHEDULING_FLAG_SEEKABLE);
  fail_unless(gst_query_has_scheduling_mode(scheduling, GST_PAD_MODE_PULL));
  fail_unless(gst_query_has_scheduling_mode(scheduling, GST_PAD_MODE_PUSH));
  gst_query_unref(scheduling);
  fail_unless(service.server.holding());
}
GST_END_TEST

GST_START_TEST(the_size_is_known_with_the_first_buffer) {
  FakeService service;
  service.clip = clipNamed("faststart");
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PAUSED);
  pipeline.waitFor("async-done");
  fail_unless(pipeline.size() > service.clip.size());
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless_equals_uint64(pipeline.bytes(), pipeline.size());
}
GST_END_TEST

GST_START_TEST(without_a_mark_the_bytes_are_the_services) {
  FakeService service;
  service.clip = clipNamed("faststart");
  Pipeline pipeline(service, "SRC ! fakesink");
  g_object_set(pipeline.source(), "mark", 1, nullptr);
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless_equals_uint64(pipeline.size(), service.clip.size());
  fail_unless_equals_uint64(pipeline.bytes(), service.clip.size());
}
GST_END_TEST

GST_START_TEST(a_time_seek_in_a_clip_makes_no_request) {
  FakeService service;
  service.clip = clipNamed("moov-last");
  Pipeline pipeline(service, "SRC ! decodebin ! fakesink name=sink");
  pipeline.setState(GST_STATE_PAUSED);
  pipeline.waitFor("async-done");
  const size_t requests = service.server.requests().size();
  for (const gint64 place : {4 * GST_SECOND, 0 * GST_SECOND, 2 * GST_SECOND}) {
    pipeline.forgetEvents();
    fail_unless(gst_element_seek_simple(pipeline.pipeline(), GST_FORMAT_TIME,
                                        static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
                                        place));
    pipeline.waitFor("async-done");
    gint64 position = -1;
    fail_unless(gst_element_query_position(pipeline.pipeline(), GST_FORMAT_TIME, &position));
    fail_unless_equals_int64(position, place);
  }
  fail_unless_equals_int(service.server.requests().size(), requests);
}
GST_END_TEST

GST_START_TEST(a_broken_transfer_is_mended_and_bought_once) {
  FakeService service;
  service.clip = clipNamed("moov-last");
  service.onClip = [&service](const Seen &, Answer &answer) {
    if (service.server.count("GET", "/clips/") == 1)
      answer.truncate("video/mp4", service.clip.substr(0, 1'000'000), service.clip.size());
    else
      service.serveClip(answer);
  };
  Pipeline pipeline(service, "SRC ! qtdemux ! h264parse ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless_equals_int(service.purchases(), 1);
  // the broken one, the moov at the end, the rest
  fail_unless_equals_int(service.server.count("GET", "/clips/"), 3);
}
GST_END_TEST

GST_START_TEST(large_buffers_share_their_memory) {
  // whatever has this size is given back to the system when it is freed
  fail_unless(mallopt(M_MMAP_THRESHOLD, 64 * 1024) == 1);
  FakeService service;
  service.clip = clipOf(32 << 20);
  Pipeline pipeline(service, "SRC ! fakesink");
  Faults faults;
  GstPad *pad = gst_element_get_static_pad(pipeline.source(), "src");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, Faults::count, &faults, nullptr);
  gst_object_unref(pad);
  pipeline.setState(GST_STATE_PAUSED);
  pipeline.waitFor("element", [](const Event &event) {
    return g_strcmp0(gst_structure_get_string(event.structure, "status"), "completed") == 0;
  });
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless(faults.buffers > 50, "%u large buffers", faults.buffers.load());
  constexpr long pages = 512 / 4; // of one buffer
  fail_unless(faults.latest - faults.first < 10 * pages, "%ld faults", faults.latest - faults.first);
}
GST_END_TEST

GST_START_TEST(a_given_generation_is_fetched_and_nothing_is_submitted) {
  FakeService service;
  service.clip = clipNamed("faststart");
  Pipeline pipeline(service, "SRC generation-id=other/2:id ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless_equals_int(service.purchases(), 0);
  fail_unless(service.server.requests()[0].query == "generation_id=other%2F2%3Aid");
}
GST_END_TEST

static Suite *delivery_suite() {
  Suite *suite = suite_create("delivery");
  TCase *tests = tcase_create("clips");
  suite_add_tcase(suite, tests);
  tcase_add_loop_test(tests, clips_of_any_layout_play_to_their_end, 0, G_N_ELEMENTS(cases));
  tcase_add_test(tests, the_bytes_are_those_of_the_host);
  tcase_add_test(tests, the_size_is_not_known_and_never_waited_for_during_the_wait);
  tcase_add_test(tests, the_size_is_known_with_the_first_buffer);
  tcase_add_test(tests, without_a_mark_the_bytes_are_the_services);
  tcase_add_test(tests, a_time_seek_in_a_clip_makes_no_request);
  tcase_add_test(tests, a_broken_transfer_is_mended_and_bought_once);
  if (mallopt(M_MMAP_THRESHOLD, 128 * 1024) == 1) // the sanitizers' allocators have no such setting
    tcase_add_test(tests, large_buffers_share_their_memory);
  else
    std::printf("large_buffers_share_their_memory is left out: the allocator can't be told what to give back\n");
  tcase_add_test(tests, a_given_generation_is_fetched_and_nothing_is_submitted);
  return suite;
}

GST_CHECK_MAIN(delivery)
