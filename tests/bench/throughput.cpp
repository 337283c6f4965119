// SPDX-License-Identifier: LGPL-2.1-or-later
// Wall time, CPU time and peak memory of a process that plays a clip from loopback at full speed, beside souphttpsrc:
// minima and medians of interleaved rounds, as a Markdown table. Each round is a process of its own, so that its
// start and GStreamer's are counted in all of them.
//
//   tests/bench/make_clips.sh /var/tmp/clips
//   meson compile -C build throughput
//   GST_PLUGIN_PATH=build/gst-plugin build/tests/bench/throughput /var/tmp/clips/1gb.mp4 [ROUNDS]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

#include <gst/gst.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/clip_server.h"
#include "support/file_view.h"
#include "support/test_server.h"

using namespace aimlvideo::test;

namespace {

constexpr auto output = "/var/tmp/aimlvideo-throughput";

struct Way {
  const char *name;
  const char *line;           ///< of gst-launch; $SERVICE and $CLIP are replaced
  bool store = true;          ///< without one, the clip is not kept for the next time, and not forced to the disk
  bool downloadFirst = false; ///< with curl, to the file that the line plays
};

constexpr auto ours = "aimlvideosrc generation-id=gen/1:model api-key=k base-url=$SERVICE ! fakesink";

const Way ways[] = {
    {"aimlvideosrc ! fakesink, clip kept in the store", ours},
    {"aimlvideosrc ! fakesink, without a store", ours, false},
    {"souphttpsrc ! filesink", "souphttpsrc location=$CLIP ! filesink location=/var/tmp/aimlvideo-throughput"},
    {"souphttpsrc ! fakesink", "souphttpsrc location=$CLIP ! fakesink"},
    {"curlhttpsrc ! fakesink", "curlhttpsrc location=$CLIP ! fakesink"},
    {"download, then filesrc ! fakesink", "filesrc location=/var/tmp/aimlvideo-throughput ! fakesink", false, true},
};

struct Cost {
  double wall = 0; ///< seconds
  double cpu = 0;
  double memory = 0; ///< MiB
};

void replace(std::string &text, const std::string &name, const std::string &value) {
  if (const size_t at = text.find(name); at != std::string::npos)
    text.replace(at, name.size(), value);
}

/// Peak memory of this process since it was started, in MiB.
double peakMemory() {
  gchar *text = nullptr;
  g_file_get_contents("/proc/self/status", &text, nullptr, nullptr);
  const char *place = std::strstr(text, "VmHWM:");
  const double kibibytes = g_ascii_strtod(place + std::strlen("VmHWM:"), nullptr);
  g_free(text);
  return kibibytes / 1024;
}

/// The player: to the end of the stream, in this process.
int play(const char *line) {
  gst_init(nullptr, nullptr);
  GstElement *pipeline = gst_parse_launch(line, nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE,
                                                   static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
  const bool ended = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
  std::printf("%.1f\n", peakMemory());
  std::fflush(stdout);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  return ended ? 0 : 1;
}

Cost measure(const char *self, const Way &way, const FakeService &service) {
  std::string line = way.line;
  replace(line, "$SERVICE", service.server.url());
  replace(line, "$CLIP", service.clipAddress);
  const auto begin = std::chrono::steady_clock::now();
  int report[2];
  if (pipe(report) != 0)
    g_error("no pipe");
  const pid_t child = fork();
  if (child == 0) {
    if (way.downloadFirst &&
        std::system(("curl -s -o " + std::string(output) + " " + service.clipAddress).c_str()) != 0)
      _exit(1);
    dup2(report[1], STDOUT_FILENO);
    if (!way.store)
      g_setenv("XDG_CACHE_HOME", "/dev/null", TRUE);
    execl(self, self, "--play", line.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (status != 0)
    g_error("%s failed", line.c_str());
  const auto seconds = [](const timeval &time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  unlink(output);
  close(report[1]);
  char memory[32] = {};
  if (read(report[0], memory, sizeof memory - 1) < 0)
    g_error("no report");
  close(report[0]);
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
          seconds(usage.ru_utime) + seconds(usage.ru_stime), g_ascii_strtod(memory, nullptr)};
}

/// Minimum and median.
std::string both(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  char text[64];
  std::snprintf(text, sizeof text, "%.2f / %.2f", values.front(), values[values.size() / 2]);
  return text;
}

} // namespace

int main(int argc, char **argv) {
  if (argc == 3 && std::string(argv[1]) == "--play")
    return play(argv[2]);
  if (argc < 2)
    g_error("usage: throughput FILE [ROUNDS]");
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 8;
  const FileView clip(argv[1]);
  g_setenv("GSETTINGS_BACKEND", "memory", TRUE);
  std::map<size_t, std::vector<Cost>> costs;
  for (int round = 0; round < rounds; ++round)
    for (size_t i = 0; i < G_N_ELEMENTS(ways); ++i) {
      const size_t way = (i + static_cast<size_t>(round)) % G_N_ELEMENTS(ways);
      ClipServer host(clip.bytes());
      FakeService service; // with a store of its own
      service.pollsUntilCompleted = 0;
      service.clipAddress = host.url() + "/clip.mp4";
      costs[way].push_back(measure("/proc/self/exe", ways[way], service));
    }
  std::printf("%.1f MB from loopback, %d rounds, minimum / median\n\n| pipeline | wall, s | CPU, s | peak RSS, MiB "
              "|\n|---|---|---|---|\n",
              static_cast<double>(clip.bytes().size()) / 1e6, rounds);
  for (const auto &[way, all] : costs) {
    std::vector<double> wall;
    std::vector<double> cpu;
    std::vector<double> memory;
    for (const Cost &cost : all) {
      wall.push_back(cost.wall);
      cpu.push_back(cost.cpu);
      memory.push_back(cost.memory);
    }
    std::printf("| %s | %s | %s | %s |\n", ways[way].name, both(wall).c_str(), both(cpu).c_str(), both(memory).c_str());
  }
  return 0;
}
