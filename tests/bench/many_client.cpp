// SPDX-License-Identifier: LGPL-2.1-or-later
// Many elements at once in one process, for many.py.
//
//   many-client pipelines COUNT CERTIFICATE|-   aimlvideosrc ! fakesink, a pipeline each; the service and the key are
//   in
//                                               the environment
//   many-client pipeline COUNT CERTIFICATE|-    the same, all in one pipeline
//   many-client fakesrc COUNT                   fakesrc ! fakesink, a pipeline each, that hold still in PAUSED
//   many-client souphttpsrc COUNT ADDRESS       souphttpsrc ! fakesink, a pipeline each
//
// Brings one to its end, so that what a process pays once is paid, and prints the seconds of CPU so far. Then it waits
// for a line, starts all, and prints how many failed when they are over; those that hold still are over after another
// line.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gio/gio.h>
#include <gst/gst.h>

#include "usage.h"

namespace {

constexpr auto warmUpModel = "kling-video/v1.6/standard/text-to-video"; // whose time is not that of the others

/// Waits for a line of many.py, and ends when many.py has ended.
void waitForLine() {
  if (std::getchar() == EOF)
    std::exit(1);
}

struct Kind {
  std::string source;
  std::string address; ///< of the clip; empty: the source generates one, or nothing
  GTlsDatabase *trusted = nullptr;

  bool generates() const { return source == "aimlvideosrc"; }
  bool holdsStill() const { return source == "fakesrc"; }
};

/// A pipeline with some sources, each with a sink of its own.
class Line {
public:
  Line(const Kind &kind, GAsyncQueue *over) : kind_(kind), pipeline_(gst_pipeline_new(nullptr)), over_(over) {
    // a watch of each bus in one main loop would be most of what is measured
    GstBus *bus = gst_element_get_bus(pipeline_);
    gst_bus_set_sync_handler(
        bus,
        +[](GstBus *, GstMessage *message, gpointer self) {
          static_cast<Line *>(self)->hear(message);
          gst_message_unref(message);
          return GST_BUS_DROP;
        },
        this, nullptr);
    gst_object_unref(bus);
  }
  Line(const Line &) = delete;
  Line &operator=(const Line &) = delete;
  ~Line() {
    stop();
    gst_object_unref(pipeline_);
  }

  void add(const std::string &prompt, const char *model) {
    GstElement *source = gst_element_factory_make(kind_.source.c_str(), nullptr);
    GstElement *sink = gst_element_factory_make("fakesink", nullptr);
    if (!source || !sink)
      g_error("there is no %s", kind_.source.c_str());
    if (kind_.generates())
      g_object_set(source, "prompt", prompt.c_str(), "model", model, "tls-database", kind_.trusted, "poll-interval",
                   pollInterval(), nullptr);
    else if (!kind_.holdsStill())
      g_object_set(source, "location", kind_.address.c_str(), nullptr);
    g_object_set(sink, "sync", FALSE, nullptr);
    gst_bin_add_many(GST_BIN(pipeline_), source, sink, nullptr);
    gst_element_link(source, sink);
    ++sources_;
  }

  void start() { gst_element_set_state(pipeline_, kind_.holdsStill() ? GST_STATE_PAUSED : GST_STATE_PLAYING); }
  void stop() { gst_element_set_state(pipeline_, GST_STATE_NULL); }

  size_t failures() const { return failures_; }

private:
  void hear(GstMessage *message) {
    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR: {
      GError *error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      if (failures_++ == 0)
        g_printerr("%s\n", error->message);
      g_error_free(error);
      if (sources_ > 1)
        return; // the others go on, and the end of the stream comes from all of them
      break;
    }
    case GST_MESSAGE_ASYNC_DONE:
      if (!kind_.holdsStill())
        return;
      break;
    case GST_MESSAGE_EOS:
      break;
    default:
      return;
    }
    if (!isOver_.exchange(true))
      g_async_queue_push(over_, this);
  }

  const Kind &kind_;
  GstElement *const pipeline_;
  GAsyncQueue *const over_;
  size_t sources_ = 0;
  std::atomic<bool> isOver_ = false;
  std::atomic<size_t> failures_ = 0;
};

/// Runs one source for each prompt until all are over, and returns how many failed. `whileStill` is called when all
/// hold still, if that is what they do.
size_t runAll(const Kind &kind, const std::vector<std::string> &prompts, const char *model, bool onePipeline,
              void (*whileStill)()) {
  GAsyncQueue *over = g_async_queue_new();
  std::vector<std::unique_ptr<Line>> lines;
  for (const std::string &prompt : prompts) {
    if (lines.empty() || !onePipeline)
      lines.push_back(std::make_unique<Line>(kind, over));
    lines.back()->add(prompt, model);
  }
  for (const auto &line : lines)
    line->start();
  for (size_t ended = 0; ended < lines.size(); ++ended) {
    auto *line = static_cast<Line *>(g_async_queue_pop(over));
    if (!kind.holdsStill())
      line->stop();
  }
  if (kind.holdsStill())
    whileStill();
  size_t failures = 0;
  for (const auto &line : lines)
    failures += line->failures();
  lines.clear();
  g_async_queue_unref(over);
  return failures;
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc < 3)
    g_error("usage: many-client pipelines|pipeline|fakesrc|souphttpsrc COUNT [CERTIFICATE|-|ADDRESS]");
  const std::string way = argv[1];
  const std::string last = argc > 3 ? argv[3] : "-";
  Kind kind;
  kind.source = way.rfind("pipeline", 0) == 0 ? "aimlvideosrc" : way;
  if (!kind.generates())
    kind.address = last;
  else if (last != "-")
    kind.trusted = g_tls_file_database_new(last.c_str(), nullptr);
  std::vector<std::string> prompts(std::strtoul(argv[2], nullptr, 10));
  for (size_t i = 0; i < prompts.size(); ++i)
    prompts[i] = "number " + std::to_string(i);
  size_t failures = runAll(kind, {"warm"}, warmUpModel, false, [] {});
  std::printf("%f\n", cpuSeconds());
  std::fflush(stdout);
  waitForLine();
  failures += runAll(kind, prompts, nullptr, way == "pipeline", [] {
    std::puts("still");
    std::fflush(stdout);
    waitForLine();
  });
  std::printf("%zu\n", failures);
  return 0;
}
