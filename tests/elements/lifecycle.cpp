// SPDX-License-Identifier: LGPL-2.1-or-later
// States, threads and the end of a generation: the promises behind sections (d1) and (d4) of the design's reference.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "support/check.h"
#include "support/pipeline.h"
#include "support/stall.h"
#include "unit/unit.h"

using namespace aimlvideo::test;

namespace {

/// How what is paid for, or may be, goes on.
void check_warning(const Pipeline &pipeline, Phase phase) {
  const Event warning = pipeline.waitFor("warning");
  const bool known = phase != Phase::Submission;
  fail_unless_contains(warning.text, known ? "It is paid for" : "It may be paid for");
  fail_unless_contains(warning.text, known ? "generation-id=gen/1:model" : "the same request again finds that out");
  fail_unless_contains(warning.text, "`aimlvideo jobs` lists it");
}

void stopped_while_stalled(GstState target, Phase phase, const char *line) {
  FakeService service;
  stallIn(service, phase);
  Pipeline pipeline(service, line);
  pipeline.setState(GST_STATE_PLAYING);
  waitForStall(service, phase);

  fail_unless_equals_int(pipeline.setState(target), GST_STATE_CHANGE_SUCCESS);

  // the server still holds its answer: nothing waited for it
  fail_unless(phase == Phase::Pause || service.server.holding());
  fail_unless_equals_int(pipeline.count("progress-start"), 1);
  // the first bytes of a clip complete it; they may have come in time
  const size_t completed = phase == Phase::ClipBody ? pipeline.count("progress-complete") : 0;
  fail_unless_equals_int(pipeline.count("progress-canceled") + completed, 1);
  fail_if(pipeline.happened("error"));
  fail_unless_equals_int(service.purchases(), 1);
  if (completed == 0)
    check_warning(pipeline, phase);
  pipeline.setState(GST_STATE_NULL);
  fail_unless_equals_int(pipeline.count("warning"), 1 - completed);
}

} // namespace

GST_START_TEST(a_source_that_is_started_twice_buys_once) {
  // typefind makes the base class start, stop and start the source
  FakeService service;
  service.clip = clipNamed("faststart");
  Pipeline pipeline(service, "SRC ! typefind ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless_equals_int(service.purchases(), 1);
  fail_unless_equals_int(pipeline.count("progress-start"), 1);
}
GST_END_TEST

GST_START_TEST(set_state_returns_while_the_service_still_thinks) {
  FakeService service;
  stallIn(service, Phase::Submission);
  Pipeline pipeline(service, "SRC ! fakesink");
  fail_unless_equals_int(pipeline.setState(GST_STATE_PAUSED), GST_STATE_CHANGE_ASYNC);
  service.server.waitFor("POST", "/v2/");
  fail_unless(service.server.holding());
  fail_if(pipeline.happened("async-done"));
}
GST_END_TEST

GST_START_TEST(null_returns_at_once_in_every_phase_in_push_mode) {
  stopped_while_stalled(GST_STATE_NULL, allPhases[__i__], "SRC ! queue ! fakesink");
}
GST_END_TEST

GST_START_TEST(null_returns_at_once_in_every_phase_in_pull_mode) {
  stopped_while_stalled(GST_STATE_NULL, allPhases[__i__], "SRC ! decodebin ! fakesink");
}
GST_END_TEST

GST_START_TEST(ready_returns_at_once_in_every_phase) {
  stopped_while_stalled(GST_STATE_READY, allPhases[__i__], "SRC ! queue ! fakesink");
}
GST_END_TEST

/// A state change holds the element's state lock and waits for the job, so nothing that the job does may need that
/// lock.
GST_START_TEST(a_clip_arrives_while_a_state_change_is_under_way) {
  FakeService service;
  service.clip = clipNamed("faststart");
  service.onPoll = [](const Seen &, Answer &answer) {
    answer.hold();
  };
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  service.server.waitUntilHolding();
  service.onPoll = nullptr;
  service.pollsUntilCompleted = 0;
  GST_STATE_LOCK(pipeline.source());
  service.server.release();
  pipeline.waitFor("progress-complete");
  GST_STATE_UNLOCK(pipeline.source());
  pipeline.waitFor("eos");
}
GST_END_TEST

/// The base class raises and lowers the flag in one go. typefind calls the pad's function itself, without the lock that
/// keeps the two apart, so its thread may see neither.
GST_START_TEST(a_pull_that_waits_ends_with_the_pads_deactivation) {
  FakeService service;
  stallIn(service, Phase::Submission);
  const Pipeline pipeline(service, "SRC ! fakesink can-activate-push=false can-activate-pull=false");
  GstPad *pad = gst_element_get_static_pad(pipeline.source(), "src");
  for (int round = 0; round < 200; ++round) {
    fail_unless(gst_pad_activate_mode(pad, GST_PAD_MODE_PULL, TRUE));
    std::atomic<bool> begun = false;
    std::thread puller([&] {
      begun = true;
      GstBuffer *buffer = nullptr;
      fail_unless_equals_int(GST_PAD_GETRANGEFUNC(pad)(pad, GST_OBJECT_PARENT(pad), 0, 4096, &buffer),
                             GST_FLOW_FLUSHING);
    });
    while (!begun)
      std::this_thread::yield();
    g_usleep(static_cast<gulong>(round)); // somewhere on its way, and then in its wait
    fail_unless(gst_pad_activate_mode(pad, GST_PAD_MODE_PULL, FALSE));
    puller.join();
  }
  gst_object_unref(pad);
}
GST_END_TEST

GST_START_TEST(a_flush_during_the_wait_keeps_the_generation) {
  FakeService service;
  service.clip = clipNamed("faststart");
  service.onPoll = [](const Seen &, Answer &answer) {
    answer.hold();
  };
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  service.server.waitFor("GET", "/v2/");

  for (int i = 0; i < 3; ++i)
    fail_unless(gst_element_seek_simple(pipeline.source(), GST_FORMAT_BYTES, GST_SEEK_FLAG_FLUSH, i));
  service.onPoll = [&service](const Seen &, Answer &answer) {
    answer.json(200, service.completedReply("gen"));
  };
  service.server.release();

  pipeline.waitFor("eos");
  fail_unless_equals_int(service.purchases(), 1);
  fail_unless_equals_int(pipeline.count("progress-start"), 1);
  fail_unless_equals_int(pipeline.count("progress-complete"), 1);
  // the last seek went to byte 2
  fail_unless_equals_uint64(pipeline.bytes(), pipeline.size() - 2);
}
GST_END_TEST

GST_START_TEST(pausing_and_playing_during_the_wait_keeps_the_generation) {
  FakeService service;
  service.clip = clipNamed("faststart");
  service.pollsUntilCompleted = 3;
  Pipeline pipeline(service, "SRC ! fakesink");
  for (int i = 0; i < 3; ++i) {
    pipeline.setState(GST_STATE_PLAYING);
    pipeline.setState(GST_STATE_PAUSED);
  }
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless_equals_int(service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(the_same_element_replays_its_clip_without_asking_anybody) {
  FakeService service;
  service.clip = clipNamed("faststart");
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  const size_t requests = service.server.requests().size();

  pipeline.setState(GST_STATE_READY);
  pipeline.forgetEvents();
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");

  fail_unless_equals_int(service.server.requests().size(), requests);
  fail_unless(pipeline.size() > service.clip.size());
  fail_unless_equals_uint64(pipeline.bytes(), pipeline.size());
  fail_unless_equals_int(pipeline.count("progress-start"), 1);
  fail_unless_equals_int(pipeline.count("progress-complete"), 1);
}
GST_END_TEST

GST_START_TEST(after_null_the_same_element_replays_the_clip) {
  FakeService service;
  service.clip = clipNamed("faststart");
  Pipeline pipeline(service, "SRC ! fakesink");
  for (int i = 0; i < 2; ++i) {
    pipeline.forgetEvents();
    pipeline.setState(GST_STATE_PLAYING);
    pipeline.waitFor("eos");
    pipeline.setState(GST_STATE_NULL);
  }
  fail_unless_equals_int(service.purchases(), 1);
  fail_unless_equals_int(service.server.count("GET", "/clips/"), 1);
}
GST_END_TEST

GST_START_TEST(an_interrupted_generation_is_continued_by_the_same_element) {
  FakeService service;
  service.clip = clipNamed("faststart");
  stallIn(service, Phase::Poll);
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  waitForStall(service, Phase::Poll);
  pipeline.setState(GST_STATE_READY);
  service.server.release();
  service.onPoll = nullptr;
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless_equals_int(service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_submission_that_was_interrupted_is_not_sent_again) {
  FakeService service;
  stallIn(service, Phase::Submission);
  Pipeline pipeline(service, "SRC timeout=3 ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  waitForStall(service, Phase::Submission);
  pipeline.setState(GST_STATE_READY);
  service.server.release();
  service.onCreate = nullptr;
  pipeline.setState(GST_STATE_PLAYING);
  const Event error = pipeline.waitFor("error");
  fail_unless_equals_int(error.code, GST_RESOURCE_ERROR_FAILED);
  const std::string sent = service.server.requests()[0].header("X-Client-Request-Id");
  fail_unless_equals_string(gst_structure_get_string(error.structure, "client-request-id"), sent.c_str());
  fail_unless_equals_int(service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(another_request_of_the_same_element_is_another_purchase) {
  FakeService service;
  service.clip = clipNamed("faststart");
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  pipeline.setState(GST_STATE_READY);
  pipeline.forgetEvents();
  g_object_set(pipeline.source(), "prompt", "a dog", nullptr);
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("eos");
  fail_unless_equals_int(service.purchases(), 2);
}
GST_END_TEST

GST_START_TEST(nothing_is_bought_while_the_pad_is_not_linked) {
  FakeService service;
  Pipeline pipeline(service, "SRC");
  fail_unless_equals_int(pipeline.setState(GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  const Event error = pipeline.waitFor("error");
  fail_unless(error.text.find("not linked") != std::string::npos);
  pipeline.setState(GST_STATE_NULL);
  fail_unless(service.server.requests().empty());
  fail_if(pipeline.happened("progress-start"));
}
GST_END_TEST

/// What can take a file, or may be told by what is linked to it later on.
constexpr const char *recipients[] = {
    "SRC ! filesink location=/dev/null",
    "SRC ! appsink emit-signals=false drop=true max-buffers=1 sync=false",
    "SRC ! identity ! fakesink",
    "SRC ! queue ! fakesink",
    "SRC ! queue2 ! fakesink",
    "SRC ! multiqueue ! fakesink",
    "SRC ! downloadbuffer temp-template=/tmp/aimlvideo-test-XXXXXX ! fakesink",
    "SRC ! valve ! fakesink",
    "SRC ! input-selector ! fakesink",
    "SRC ! concat ! fakesink",
    "SRC ! tee ! fakesink",
    "SRC ! tee name=t t. ! queue ! filesink location=/dev/null t. ! queue ! decodebin ! fakesink",
    "SRC ! tee allow-not-linked=true",
    "SRC ! identity",
    "SRC ! typefind ! fakesink",
    "SRC ! video/quicktime ! fakesink",
    "SRC ! capsfilter ! fakesink",
    "SRC ! video/quicktime,variant=iso ! qtdemux ! fakesink",
    "SRC ! video/webm ! fakesink",
    "SRC ! matroskademux ! fakesink",
    "SRC ! avidemux ! fakesink",
    "SRC ! tsdemux ! fakesink",
    "SRC ! decodebin ! fakesink",
    "SRC ! decodebin3 ! fakesink",
    "SRC ! parsebin ! fakesink",
    "SRC ! qtdemux ! fakesink",
};

GST_START_TEST(a_clip_is_bought_for_whoever_may_take_one) {
  FakeService service;
  service.clip = clipNamed("faststart");
  Pipeline pipeline(service, recipients[__i__]);
  pipeline.setState(GST_STATE_PLAYING);
  pipeline.waitFor("progress-complete");
  fail_unless_equals_int(service.purchases(), 1);
}
GST_END_TEST

/// Lines whose writer forgot to demux the clip, or to decode it.
constexpr const char *noRecipients[] = {
    "SRC ! videoconvert ! fakesink",
    "SRC ! queue ! videoconvert ! videorate ! fakesink",
    "SRC ! qtmux ! fakesink",
    "SRC ! video/x-raw ! fakesink",
    "SRC ! h264parse ! fakesink",
    "SRC ! vp8enc ! fakesink",
    "SRC ! identity ! queue ! audioconvert ! fakesink",
    "SRC ! tee name=t t. ! queue ! fakesink t. ! queue ! videoscale ! fakesink",
    "SRC ! video/mpeg,systemstream=false ! fakesink",
};

GST_START_TEST(nothing_is_bought_for_elements_that_take_no_clip) {
  FakeService service;
  Pipeline pipeline(service, noRecipients[__i__]);
  pipeline.setState(GST_STATE_PLAYING);
  const Event error = pipeline.waitFor("error");
  fail_unless_equals_int(error.code, GST_RESOURCE_ERROR_SETTINGS);
  fail_unless_contains(error.text, "Put decodebin (or parsebin, qtdemux) after aimlvideosrc; nothing was bought");
  pipeline.setState(GST_STATE_NULL);
  fail_unless(service.server.requests().empty());
}
GST_END_TEST

GST_START_TEST(what_is_paid_for_asks_nobody_who_takes_it) {
  FakeService service;
  service.clip = clipNamed("faststart");
  {
    Pipeline first(service, "SRC ! fakesink");
    first.setState(GST_STATE_PLAYING);
    first.waitFor("eos");
  }
  Pipeline replay(service, "SRC ! videoconvert ! fakesink");
  replay.setState(GST_STATE_PLAYING);
  fail_if(contains(replay.waitFor("error").text, "decodebin"));
  fail_unless(replay.happened("progress-complete"));
  fail_unless_equals_int(service.purchases(), 1);
}
GST_END_TEST

GST_START_TEST(a_neighbour_that_takes_long_to_say_what_it_takes_holds_up_no_state_change) {
  FakeService service;
  Pipeline pipeline(service, "SRC ! fakesink name=sink");
  GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline.pipeline()), "sink");
  GstPad *pad = gst_element_get_static_pad(sink, "sink");
  struct Question {
    std::mutex mutex;
    std::condition_variable changed;
    bool asked = false, answered = false, over = false;

    void wait(const bool &what) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return what; });
    }
    void say(bool &what) {
      const std::lock_guard lock(mutex);
      what = true;
      changed.notify_all();
    }
  } question;
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
      +[](GstPad *, GstPadProbeInfo *info, gpointer data) {
        auto *held = static_cast<Question *>(data);
        if (GST_QUERY_TYPE(GST_PAD_PROBE_INFO_QUERY(info)) == GST_QUERY_CAPS &&
            GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_PUSH) {
          held->say(held->asked);
          held->wait(held->answered);
          held->say(held->over);
        }
        return GST_PAD_PROBE_OK;
      },
      &question, nullptr);
  fail_unless_equals_int(pipeline.setState(GST_STATE_PAUSED), GST_STATE_CHANGE_ASYNC);
  question.wait(question.asked);
  fail_unless_equals_int(pipeline.setState(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  fail_if(question.answered);
  question.say(question.answered);
  question.wait(question.over);
  fail_unless(service.server.requests().empty());
  gst_object_unref(pad);
  gst_object_unref(sink);
}
GST_END_TEST

GST_START_TEST(eos_during_the_wait_ends_it) {
  FakeService service;
  stallIn(service, Phase::Poll);
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  waitForStall(service, Phase::Poll);

  fail_unless(gst_element_send_event(pipeline.pipeline(), gst_event_new_eos()));

  fail_unless(service.server.holding());
  pipeline.waitFor("progress-canceled");
  const Event warning = pipeline.waitFor("warning");
  fail_unless(warning.text.find("generation-id=gen/1:model") != std::string::npos);
  pipeline.waitFor("eos");
  fail_unless_equals_int(pipeline.count("progress-canceled"), 1);
  pipeline.setState(GST_STATE_NULL);
  fail_unless_equals_int(pipeline.count("progress-canceled"), 1);
  fail_unless_equals_int(pipeline.count("warning"), 1);
  fail_if(pipeline.happened("error"));
}
GST_END_TEST

/// A player may be gone with the end of the stream, or with the error of a demuxer that got nothing.
GST_START_TEST(what_goes_on_after_eos_is_said_before_anything_ends) {
  for (int round = 0; round < 20; ++round) {
    FakeService service;
    stallIn(service, Phase::Poll);
    Pipeline pipeline(service, round % 2 ? "SRC ! fakesink" : "SRC ! decodebin3 ! fakesink");
    pipeline.setState(GST_STATE_PLAYING);
    waitForStall(service, Phase::Poll);
    gst_element_send_event(pipeline.pipeline(), gst_event_new_eos());
    const char *end = round % 2 ? "eos" : "error";
    pipeline.waitFor(end);
    fail_unless(pipeline.position("warning") < pipeline.position(end));
  }
}
GST_END_TEST

GST_START_TEST(eos_after_the_clip_is_an_ordinary_eos) {
  FakeService service;
  service.clip = clipNamed("moov-last");
  Pipeline pipeline(service, "SRC blocksize=1024 ! identity sleep-time=1000 ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  // before that, the streaming thread holds its lock in the sink's preroll, with any source
  gst_element_get_state(pipeline.pipeline(), nullptr, nullptr, GST_CLOCK_TIME_NONE);
  gst_element_send_event(pipeline.pipeline(), gst_event_new_eos());
  pipeline.waitFor("eos");
  fail_unless(pipeline.bytes() < service.clip.size());
  fail_if(pipeline.happened("warning"));
  fail_if(pipeline.happened("progress-canceled"));
}
GST_END_TEST

GST_START_TEST(a_property_can_not_be_changed_while_running) {
  FakeService service;
  stallIn(service, Phase::Poll);
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  waitForStall(service, Phase::Poll);
  int notified = 0;
  g_signal_connect(pipeline.source(), "notify", G_CALLBACK(+[](GObject *, GParamSpec *, int *count) { ++*count; }),
                   &notified);
  g_object_set(pipeline.source(), "prompt", "something else", nullptr);
  fail_unless_contains(pipeline.waitFor("warning").text, "The property prompt of aimlvideosrc was not changed");
  fail_unless_equals_int(notified, 0);
  char *prompt = nullptr;
  g_object_get(pipeline.source(), "prompt", &prompt, nullptr);
  fail_unless_equals_string(prompt, "cat");
  g_free(prompt);
}
GST_END_TEST

GST_START_TEST(a_source_that_leaves_a_running_pipeline_takes_its_generation_along) {
  FakeService service;
  stallIn(service, Phase::Poll);
  Pipeline pipeline(service, "SRC ! fakesink");
  pipeline.setState(GST_STATE_PLAYING);
  waitForStall(service, Phase::Poll);
  gst_element_set_locked_state(pipeline.source(), TRUE);
  fail_unless_equals_int(gst_element_set_state(pipeline.source(), GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  fail_unless(service.server.holding());
  fail_unless_equals_int(pipeline.count("progress-canceled"), 1);
}
GST_END_TEST

static Suite *lifecycle_suite() {
  Suite *suite = suite_create("lifecycle");
  TCase *tests = tcase_create("states");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_source_that_is_started_twice_buys_once);
  tcase_add_test(tests, set_state_returns_while_the_service_still_thinks);
  tcase_add_loop_test(tests, null_returns_at_once_in_every_phase_in_push_mode, 0, G_N_ELEMENTS(allPhases));
  tcase_add_loop_test(tests, null_returns_at_once_in_every_phase_in_pull_mode, 0, G_N_ELEMENTS(allPhases));
  tcase_add_loop_test(tests, ready_returns_at_once_in_every_phase, 0, G_N_ELEMENTS(allPhases));
  tcase_add_test(tests, a_clip_arrives_while_a_state_change_is_under_way);
  tcase_add_test(tests, a_pull_that_waits_ends_with_the_pads_deactivation);
  tcase_add_test(tests, a_flush_during_the_wait_keeps_the_generation);
  tcase_add_test(tests, pausing_and_playing_during_the_wait_keeps_the_generation);
  tcase_add_test(tests, the_same_element_replays_its_clip_without_asking_anybody);
  tcase_add_test(tests, after_null_the_same_element_replays_the_clip);
  tcase_add_test(tests, an_interrupted_generation_is_continued_by_the_same_element);
  tcase_add_test(tests, a_submission_that_was_interrupted_is_not_sent_again);
  tcase_add_test(tests, another_request_of_the_same_element_is_another_purchase);
  tcase_add_test(tests, nothing_is_bought_while_the_pad_is_not_linked);
  tcase_add_loop_test(tests, a_clip_is_bought_for_whoever_may_take_one, 0, G_N_ELEMENTS(recipients));
  tcase_add_loop_test(tests, nothing_is_bought_for_elements_that_take_no_clip, 0, G_N_ELEMENTS(noRecipients));
  tcase_add_test(tests, what_is_paid_for_asks_nobody_who_takes_it);
  tcase_add_test(tests, a_neighbour_that_takes_long_to_say_what_it_takes_holds_up_no_state_change);
  tcase_add_test(tests, eos_during_the_wait_ends_it);
  tcase_add_test(tests, what_goes_on_after_eos_is_said_before_anything_ends);
  tcase_add_test(tests, eos_after_the_clip_is_an_ordinary_eos);
  tcase_add_test(tests, a_property_can_not_be_changed_while_running);
  tcase_add_test(tests, a_source_that_leaves_a_running_pipeline_takes_its_generation_along);
  return suite;
}

GST_CHECK_MAIN(lifecycle)
