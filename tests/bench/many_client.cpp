// SPDX-License-Identifier: LGPL-2.1-or-later
// Many pipelines at once in one process, for many.py.
//
//   many-client aimlvideosrc COUNT             generations, of the service and with the key in the environment
//   many-client souphttpsrc COUNT ADDRESS...   downloads of the addresses in turn
//
// Prints a line of JSON: what the process held before it began and while all of them waited (with souphttpsrc: while
// all were under way), when the last was accepted, how long after their completion the clips were noticed, and the
// errors.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gst/gst.h>
#include <sys/resource.h>

#include "support/holdings.h"

namespace {

using aimlvideo::test::Holdings;
using Clock = std::chrono::steady_clock;

void print(const char *name, const Holdings &held) {
  std::printf(R"("%s":{"kilobytes":%ld,"threads":%ld,"descriptors":%ld},)", name, held.kilobytes, held.threads,
              held.descriptors);
}

/// One pipeline.
class Line {
public:
  Line(const std::string &source, size_t number, const std::string &address, GAsyncQueue *over)
      : number_(number), generates_(address.empty()), pipeline_(gst_pipeline_new(nullptr)), over_(over) {
    GstElement *from = gst_element_factory_make(source.c_str(), nullptr);
    GstElement *sink = gst_element_factory_make("fakesink", nullptr);
    if (!from || !sink)
      g_error("there is no %s", source.c_str());
    if (generates_)
      g_object_set(from, "prompt", ("number " + std::to_string(number)).c_str(), nullptr);
    else
      g_object_set(from, "location", address.c_str(), nullptr);
    g_object_set(sink, "sync", FALSE, nullptr);
    gst_bin_add_many(GST_BIN(pipeline_), from, sink, nullptr);
    gst_element_link(from, sink);
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
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
  }

  void start() { gst_element_set_state(pipeline_, GST_STATE_PLAYING); }
  void stop() { gst_element_set_state(pipeline_, GST_STATE_NULL); }

  size_t number() const { return number_; }
  bool failed() const { return failed_; }
  /// Seconds since 1970: when the completion was known, and so the download began.
  double noticed() const { return noticed_; }

  static std::atomic<size_t> begun; ///< how many are accepted, or under way

private:
  void hear(GstMessage *message) {
    switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ELEMENT: {
      const char *status = gst_structure_get_string(gst_message_get_structure(message), "status");
      if (g_strcmp0(status, "queued") == 0)
        ++begun;
      else if (g_strcmp0(status, "downloading") == 0 && noticed_ == 0)
        noticed_ = static_cast<double>(g_get_real_time()) / 1e6;
      return;
    }
    case GST_MESSAGE_ASYNC_DONE: // the first bytes of a download
      if (!generates_)
        ++begun;
      return;
    case GST_MESSAGE_ERROR: {
      GError *error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      if (!failed_)
        g_printerr("%s\n", error->message);
      g_error_free(error);
      failed_ = true;
      break;
    }
    case GST_MESSAGE_EOS:
      break;
    default:
      return;
    }
    if (!isOver_.exchange(true))
      g_async_queue_push(over_, this);
  }

  const size_t number_;
  const bool generates_;
  GstElement *const pipeline_;
  GAsyncQueue *const over_;
  std::atomic<bool> isOver_ = false;
  std::atomic<bool> failed_ = false;
  std::atomic<double> noticed_ = 0;
};

std::atomic<size_t> Line::begun = 0;

double secondsSince(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

int run(const std::string &source, size_t count, const std::vector<std::string> &addresses) {
  GAsyncQueue *over = g_async_queue_new();
  std::vector<std::unique_ptr<Line>> lines;
  const Holdings before = Holdings::now();
  const auto start = Clock::now();
  for (size_t i = 0; i < count; ++i)
    lines.push_back(std::make_unique<Line>(source, i, addresses.empty() ? "" : addresses[i % addresses.size()], over));
  for (const auto &line : lines)
    line->start();
  Holdings waiting;
  double accepted = 0;
  for (size_t ended = 0; ended < count;) {
    auto *line = static_cast<Line *>(g_async_queue_timeout_pop(over, 20'000));
    if (accepted == 0 && Line::begun == count) {
      accepted = secondsSince(start);
      waiting = Holdings::now();
    }
    if (line) {
      line->stop();
      ++ended;
    }
  }
  const double seconds = secondsSince(start);

  std::printf("{");
  print("before", before);
  print("waiting", waiting);
  size_t failures = 0;
  std::string noticed;
  for (const auto &line : lines) {
    failures += line->failed();
    char text[64];
    std::snprintf(text, sizeof text, R"(%s"number %zu":%.3f)", noticed.empty() ? "" : ",", line->number(),
                  line->noticed());
    if (line->noticed() > 0)
      noticed += text;
  }
  std::printf(R"("accepted":%.3f,"seconds":%.3f,"errors":%zu,"noticed":{%s}})"
              "\n",
              accepted, seconds, failures, noticed.c_str());
  std::fflush(stdout);
  lines.clear();
  g_async_queue_unref(over);
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc < 3)
    g_error("usage: many-client aimlvideosrc|souphttpsrc COUNT [ADDRESS...]");
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  gst_object_unref(gst_object_ref_sink(gst_element_factory_make(argv[1], nullptr))); // the plugin's own weight
  return run(argv[1], std::strtoul(argv[2], nullptr, 10), {argv + 3, argv + argc});
}
