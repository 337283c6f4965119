// SPDX-License-Identifier: LGPL-2.1-or-later
// Wall time, CPU time and peak memory of a process that plays a clip from loopback at full speed, beside souphttpsrc:
// minima and medians of interleaved rounds, as a Markdown table, and how they compare with souphttpsrc ! filesink: the
// median of the rounds' ratios. Each round is a process of its own, so that its start and GStreamer's are counted in
// all of them. The times end when the process has ended. Removing what it wrote is not counted. What
// compares with souphttpsrc ! filesink is `fakesink, clip kept in the store`: both write the clip once. With a filesink
// as well, it is written twice.
//
//   tests/bench/make_clips.sh /var/tmp/clips
//   meson compile -C build throughput
//   GST_PLUGIN_PATH=build/gst-plugin build/tests/bench/throughput /var/tmp/clips/1gb.mp4 [ROUNDS [node]]
//
// With `node`, a second table in the same rounds: node serves a sparse file of the same length. Store and output are in
// $THROUGHPUT_FOLDER, or /var/tmp, which has to be on a disk.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

#include <fcntl.h>
#include <gst/gst.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/clip_server.h"
#include "support/file_view.h"
#include "support/test_server.h"

using namespace aimlvideo::test;

namespace {

struct Way {
  const char *name;
  const char *line;           ///< of gst-launch; $SERVICE, $CLIP and $OUTPUT are replaced
  bool store = false;         ///< the clip is kept for the next time
  bool downloadFirst = false; ///< with curl, to the file that the line plays
};

#define OURS "aimlvideosrc generation-id=gen/1:model api-key=k base-url=$SERVICE ! "

const Way ways[] = {
    {"aimlvideosrc ! fakesink, clip kept in the store", OURS "fakesink", true},
    {"aimlvideosrc ! filesink, clip kept in the store as well", OURS "filesink location=$OUTPUT", true},
    {"aimlvideosrc ! fakesink, without a store", OURS "fakesink"},
    {"souphttpsrc ! filesink", "souphttpsrc location=$CLIP ! filesink location=$OUTPUT"},
    {"souphttpsrc ! fakesink", "souphttpsrc location=$CLIP ! fakesink"},
    {"curlhttpsrc ! fakesink", "curlhttpsrc location=$CLIP ! fakesink"},
    {"download, then filesrc ! fakesink", "filesrc location=$OUTPUT ! fakesink", false, true},
};
constexpr size_t reference = 3; ///< the way that the others are compared with

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

/// The player: to the end of the stream, in this process. The folders outlive it: the tests' own, which their library
/// has named by now, would be removed, with the clip, before the process has ended.
int play(const char *line, const char *state, const char *cache) {
  g_setenv("XDG_STATE_HOME", state, TRUE);
  g_setenv("XDG_CACHE_HOME", cache, TRUE);
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

/// Lets the system write, and throw away, as much as a player will. A virtual machine gets memory from its host only
/// when it is touched, and may lose it when it is free: who takes such pages for a file pays ten times the CPU time,
/// which says nothing about the player.
void warmUp(const std::string &output, uint64_t size) {
  const std::string block(1 << 20, '\1');
  for (const char *copy : {"-1", "-2"}) { // a store and a file
    const int descriptor = open((output + copy).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (uint64_t done = 0; done < size + size / 8; done += block.size())
      if (write(descriptor, block.data(), block.size()) < 0)
        g_error("the disk is full");
    close(descriptor);
  }
  for (const char *copy : {"-1", "-2"})
    unlink((output + copy).c_str());
}

Cost measure(const char *self, const Way &way, const FakeService &service, const std::string &output) {
  std::string line = way.line;
  replace(line, "$OUTPUT", output);
  replace(line, "$SERVICE", service.server.url());
  replace(line, "$CLIP", service.clipAddress);
  const auto begin = std::chrono::steady_clock::now();
  int report[2];
  if (pipe(report) != 0)
    g_error("no pipe");
  const pid_t child = fork();
  if (child == 0) {
    if (way.downloadFirst && std::system(("curl -s -o " + output + " " + service.clipAddress).c_str()) != 0)
      _exit(1);
    dup2(report[1], STDOUT_FILENO);
    const std::string cache = way.store ? output + "-cache" : "/dev/null";
    execl(self, self, "--play", line.c_str(), (output + "-state").c_str(), cache.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  if (status != 0)
    g_error("%s failed", line.c_str());
  const auto seconds = [](const timeval &time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  std::error_code missing;
  const std::filesystem::directory_iterator clips(output + "-cache/aimlvideo/clips", missing);
  if ((clips != std::filesystem::directory_iterator()) != way.store)
    g_error("%s: the clip is%s in the store", line.c_str(), way.store ? " not" : "");
  for (const char *written : {"", "-state", "-cache"})
    std::filesystem::remove_all(output + written);
  close(report[1]);
  char memory[32] = {};
  if (read(report[0], memory, sizeof memory - 1) < 0)
    g_error("no report");
  close(report[0]);
  return {wall.count(), seconds(usage.ru_utime) + seconds(usage.ru_stime), g_ascii_strtod(memory, nullptr)};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

using Costs = std::vector<std::vector<Cost>>; ///< of each way, of each round

/// Minimum and median.
std::string both(const std::vector<Cost> &costs, double Cost::*what) {
  std::vector<double> values;
  for (const Cost &cost : costs)
    values.push_back(cost.*what);
  char text[64];
  std::snprintf(text, sizeof text, "%.2f / %.2f", *std::min_element(values.begin(), values.end()), median(values));
  return text;
}

/// The median of the rounds' ratios, since the load of the machine changes from round to round.
double ratio(const std::vector<Cost> &costs, const std::vector<Cost> &others, double Cost::*what) {
  std::vector<double> ratios;
  for (size_t i = 0; i < costs.size(); ++i)
    ratios.push_back(costs[i].*what / (others[i].*what));
  return median(ratios);
}

void print(const char *title, const Costs &costs) {
  std::printf("%s, %zu rounds, minimum / median\n\n"
              "| pipeline | wall, s | CPU, s | peak RSS, MiB | wall by %s | CPU by %s |\n|---|---|---|---|---|---|\n",
              title, costs[0].size(), ways[reference].name, ways[reference].name);
  for (size_t way = 0; way < costs.size(); ++way)
    std::printf("| %s | %s | %s | %s | x %.2f | x %.2f |\n", ways[way].name, both(costs[way], &Cost::wall).c_str(),
                both(costs[way], &Cost::cpu).c_str(), both(costs[way], &Cost::memory).c_str(),
                ratio(costs[way], costs[reference], &Cost::wall), ratio(costs[way], costs[reference], &Cost::cpu));
  std::printf("\n");
}

/// A clip by its boxes, whose media take no room on the disk.
void makeSparseClip(const std::string &path, uint64_t size) {
  std::string start = std::string("\0\0\0\x0c", 4) + "ftypisom" + std::string("\0\0\0\x08", 4) + "moov" +
                      std::string("\0\0\0\x01", 4) + "mdat";
  const uint64_t media = GUINT64_TO_BE(size - start.size() + 8);
  start.append(reinterpret_cast<const char *>(&media), sizeof media);
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (write(descriptor, start.data(), start.size()) < 0 || ftruncate(descriptor, static_cast<off_t>(size)) != 0)
    g_error("no sparse file");
  close(descriptor);
}

/// A node that serves one file.
class Node {
public:
  explicit Node(const std::string &file) {
    const std::string script = std::string(BENCH_FOLDER) + "/file_server.js";
    const char *const arguments[] = {"node", script.c_str(), file.c_str(), nullptr};
    int output = -1;
    GError *error = nullptr;
    if (!g_spawn_async_with_pipes(nullptr, const_cast<char **>(arguments), nullptr,
                                  static_cast<GSpawnFlags>(G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD), nullptr,
                                  nullptr, &process_, nullptr, &output, nullptr, &error))
      g_error("%s", error->message);
    char port[16] = {};
    if (read(output, port, sizeof port - 1) <= 0)
      g_error("node does not serve");
    close(output);
    address_ = "http://127.0.0.1:" + std::to_string(std::atoi(port)) + "/clip.mp4";
  }
  Node(const Node &) = delete;
  Node &operator=(const Node &) = delete;
  ~Node() {
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
  }
  const std::string &address() const { return address_; }

private:
  GPid process_ = 0;
  std::string address_;
};

} // namespace

int main(int argc, char **argv) {
  if (argc == 5 && std::string(argv[1]) == "--play")
    return play(argv[2], argv[3], argv[4]);
  if (argc < 2)
    g_error("usage: throughput FILE [ROUNDS [node]]");
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 8;
  const bool withNode = argc > 3;
  const char *wanted = g_getenv("THROUGHPUT_FOLDER");
  const std::string folder = wanted ? wanted : "/var/tmp";
  struct statfs facts{};
  if (statfs(folder.c_str(), &facts) != 0 || facts.f_type == TMPFS_MAGIC)
    g_error("%s is not on a disk", folder.c_str());
  const std::string output = folder + "/aimlvideo-throughput";
  const FileView clip(argv[1]);
  g_setenv("GSETTINGS_BACKEND", "memory", TRUE);

  Costs fromSockets(G_N_ELEMENTS(ways));
  Costs fromNode(G_N_ELEMENTS(ways));
  const auto play = [&](size_t way, const std::string &address) {
    FakeService service;
    service.pollsUntilCompleted = 0;
    service.clipAddress = address;
    warmUp(output, clip.bytes().size());
    return measure("/proc/self/exe", ways[way], service, output);
  };
  for (int round = 0; round < rounds; ++round)
    for (size_t i = 0; i < G_N_ELEMENTS(ways); ++i) {
      const size_t way = (i + static_cast<size_t>(round)) % G_N_ELEMENTS(ways);
      {
        const ClipServer host(clip.bytes());
        fromSockets[way].push_back(play(way, host.url() + "/clip.mp4"));
      }
      if (withNode) {
        const std::string sparse = folder + "/aimlvideo-throughput-sparse.mp4";
        makeSparseClip(sparse, clip.bytes().size());
        fromNode[way].push_back(play(way, Node(sparse).address()));
        unlink(sparse.c_str());
      }
    }
  char title[64];
  const double megabytes = static_cast<double>(clip.bytes().size()) / 1e6;
  std::snprintf(title, sizeof title, "%.1f MB from loopback", megabytes);
  print(title, fromSockets);
  std::snprintf(title, sizeof title, "%.1f MB (node) from loopback", megabytes);
  if (withNode)
    print(title, fromNode);
  return 0;
}
