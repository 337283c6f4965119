// SPDX-License-Identifier: LGPL-2.1-or-later
// Whatever an application does to the element at whatever moment, in whatever phase the service leaves it: it comes
// back at once, nothing is bought twice, and nothing is left behind.
//
// AIMLVIDEO_ROUNDS=N and AIMLVIDEO_SEED=N in the environment set how many rounds there are and which. A round depends
// on its own seed alone, so AIMLVIDEO_ROUNDS=1 with the seed that a failure names repeats it.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <random>

#include "support/check.h"
#include "support/pipeline.h"
#include "support/stall.h"

using namespace aimlvideo::test;

namespace {

unsigned long numberIn(const char *variable, unsigned long otherwise) {
  const char *text = g_getenv(variable);
  return text && *text ? std::stoul(text) : otherwise;
}

size_t entriesOf(const char *folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// What this process holds of the system.
struct Holdings {
  size_t descriptors = entriesOf("/proc/self/fd");
  size_t threads = entriesOf("/proc/self/task");
};

constexpr const char *lines[] = {"SRC ! fakesink", "SRC ! queue ! fakesink", "SRC ! typefind ! fakesink",
                                 "SRC ! decodebin ! fakesink"};

/// One life of a pipeline, decided by its seed.
class Round {
public:
  explicit Round(unsigned long seed, const std::string &clip) : random_(seed) {
    service_.clip = clip;
    service_.pollsUntilCompleted = pick(2);
    if (pick(4) > 0) // every fourth plays
      stallIn(service_, allPhases[pick(std::size(allPhases))]);
    pipeline_ = std::make_unique<Pipeline>(service_, lines[pick(std::size(lines))]);
  }

  void live() {
    pipeline_->setState(GST_STATE_PLAYING);
    for (unsigned actions = 1 + pick(5); actions > 0; --actions) {
      linger();
      act();
    }
    linger();
    end();
    // the request is the same all the time
    fail_unless(service_.purchases() <= 1);
    if (pipeline_)
      checkErrors();
  }

private:
  /// Nothing that was done is a fault of the source.
  void checkErrors() const {
    for (const Event &event : pipeline_->events())
      fail_if(event.what == "error" && event.source == "src", "%s", event.text.c_str());
  }

  unsigned pick(size_t choices) { return static_cast<unsigned>(random_() % choices); }

  /// Until something has happened, or no time at all.
  void linger() {
    switch (pick(4)) {
    case 0:
      return;
    case 1:
      std::this_thread::yield();
      return;
    default: // a moment that may fall into any phase
      g_usleep(pick(15'000));
    }
  }

  void act() {
    GstElement *source = pipeline_->source();
    switch (pick(12)) {
    case 0:
      pipeline_->setState(GST_STATE_NULL);
      break;
    case 1:
      pipeline_->setState(GST_STATE_READY);
      break;
    case 2:
      pipeline_->setState(GST_STATE_PAUSED);
      break;
    case 3:
    case 4:
      pipeline_->setState(GST_STATE_PLAYING);
      break;
    case 5:
      seek(GST_FORMAT_BYTES, pick(100'000));
      break;
    case 6:
      seek(GST_FORMAT_TIME, static_cast<gint64>(pick(1000)) * GST_MSECOND);
      break;
    case 7:
      // to a paused pipeline whose sink holds the streaming thread, no source can take it
      pipeline_->setState(GST_STATE_PLAYING);
      endOfStream();
      break;
    case 8:
      reconfigure(source);
      break;
    case 9:
      ask();
      break;
    case 10:
      g_object_set(source, "timeout", 60 + pick(100), "prompt-tag", pick(2) == 1, nullptr);
      break;
    case 11:
      look(source);
      break;
    }
  }

  /// GStreamer holds the state lock of what an event is sent to. A pipeline that is still on its way to PLAYING needs
  /// its own to end the preroll of the sink, for which a source's thread, and so the event, may be waiting.
  void endOfStream() {
    const bool playing = gst_element_get_state(pipeline_->pipeline(), nullptr, nullptr, 0) == GST_STATE_CHANGE_SUCCESS;
    endSent_ = true;
    gst_element_send_event(playing ? pipeline_->pipeline() : pipeline_->source(), gst_event_new_eos());
  }

  /// Not behind an EOS: GStreamer 1.22 may abort the process where the two meet in the base class of any source, see
  /// docs/operating.md.
  void seek(GstFormat format, gint64 place) {
    if (endSent_)
      return;
    gst_element_seek(pipeline_->pipeline(), 1.0, format, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, place,
                     GST_SEEK_TYPE_NONE, -1);
  }

  static void reconfigure(GstElement *source) {
    GstPad *pad = gst_element_get_static_pad(source, "src");
    gst_pad_send_event(pad, gst_event_new_reconfigure());
    gst_object_unref(pad);
  }

  void ask() {
    gint64 value = 0;
    gst_element_query_duration(pipeline_->pipeline(), GST_FORMAT_TIME, &value);
    gst_element_query_duration(pipeline_->pipeline(), GST_FORMAT_BYTES, &value);
    gst_element_query_position(pipeline_->pipeline(), GST_FORMAT_TIME, &value);
    GstQuery *seeking = gst_query_new_seeking(GST_FORMAT_TIME);
    gst_element_query(pipeline_->pipeline(), seeking);
    gst_query_unref(seeking);
  }

  static void look(GstElement *source) {
    GstStructure *statistics = nullptr;
    char *id = nullptr;
    int status = 0;
    g_object_get(source, "statistics", &statistics, "current-generation-id", &id, "status", &status, nullptr);
    gst_structure_free(statistics);
    g_free(id);
  }

  /// A sink that waits in its preroll keeps the streaming thread of any source, which could not be stopped before it.
  static void releaseStreamingThread(GstElement *source) {
    GstPad *pad = gst_element_get_static_pad(source, "src");
    if (GstPad *peer = gst_pad_get_peer(pad)) {
      gst_pad_send_event(peer, gst_event_new_flush_start());
      gst_object_unref(peer);
    }
    gst_object_unref(pad);
  }

  /// NULL, or out of the running pipeline, or simply gone.
  void end() {
    switch (pick(3)) {
    case 0:
      fail_unless_equals_int(pipeline_->setState(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
      break;
    case 1: {
      pipeline_->setState(GST_STATE_PLAYING);
      GstElement *source = pipeline_->source();
      releaseStreamingThread(source);
      GstObject *bin = gst_element_get_parent(source);
      gst_element_set_locked_state(source, TRUE);
      gst_bin_remove(GST_BIN(bin), source);
      fail_unless_equals_int(gst_element_set_state(source, GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
      gst_object_unref(bin);
      break;
    }
    default:
      pipeline_.reset();
    }
  }

  std::mt19937 random_;
  FakeService service_;
  std::unique_ptr<Pipeline> pipeline_;
  bool endSent_ = false;
};

/// Elements, pads and other objects that were made and are still there, by GStreamer's leaks tracer, which GST_TRACERS
/// switches on.
std::string liveObjects() {
  std::string text;
  bool tracing = false;
  GList *tracers = gst_tracing_get_active_tracers();
  for (const GList *item = tracers; item; item = item->next) {
    if (g_strcmp0(G_OBJECT_TYPE_NAME(item->data), "GstLeaksTracer") != 0)
      continue;
    tracing = true;
    GstStructure *found = nullptr;
    g_signal_emit_by_name(item->data, "get-live-objects", &found);
    const GValue *list = gst_structure_get_value(found, "live-objects-list");
    for (guint i = 0; list && i < gst_value_list_get_size(list); ++i) {
      const GstStructure *entry = gst_value_get_structure(gst_value_list_get_value(list, i));
      const GValue *object = gst_structure_get_value(entry, "object");
      text += std::string(" ") + G_OBJECT_TYPE_NAME(g_value_get_object(object));
    }
    gst_structure_free(found);
  }
  g_list_free_full(tracers, gst_object_unref);
  fail_unless(tracing, "the leaks tracer is not running");
  return text;
}

} // namespace

GST_START_TEST(nothing_an_application_does_hurts) {
  const unsigned long rounds = numberIn("AIMLVIDEO_ROUNDS", 100);
  const unsigned long seed = numberIn("AIMLVIDEO_SEED", std::random_device{}());
  const std::string clip = clipNamed("faststart");
  constexpr unsigned long warmUp = 20; // pools and caches fill up
  std::printf("%lu rounds from seed %lu\n", rounds, seed);
  std::fflush(stdout);
  Holdings before;
  for (unsigned long number = 0; number < rounds; ++number) {
    tcase_fn_start(("round with seed " + std::to_string(seed + number)).c_str(), __FILE__, __LINE__);
    Round(seed + number, clip).live();
    if (number == warmUp)
      before = Holdings();
  }
  const Holdings after;
  std::printf("descriptors %zu -> %zu, threads %zu -> %zu\n", before.descriptors, after.descriptors, before.threads,
              after.threads);
  if (rounds > warmUp) {
    // GLib's pools come and go; one left per round would be many more
    fail_unless(after.descriptors <= before.descriptors + 10);
    fail_unless(after.threads <= before.threads + 10);
  }
  const std::string left = liveObjects();
  fail_unless(left.empty(), "left behind:%s", left.c_str());
}
GST_END_TEST

static Suite *stress_suite() {
  Suite *suite = suite_create("stress");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 3600);
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, nothing_an_application_does_hurts);
  return suite;
}

GST_CHECK_MAIN(stress)
