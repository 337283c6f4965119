// SPDX-License-Identifier: LGPL-2.1-or-later
// Time from set_state(PLAYING) to the first decoded frame, over a line with 40 ms of latency, beside souphttpsrc; and
// the time of seeks while the clip is being fetched. Medians of interleaved rounds, as Markdown tables.
//
//   tests/bench/make_clips.sh /var/tmp/clips
//   meson compile -C build first-frame && GST_PLUGIN_PATH=build/gst-plugin build/tests/bench/first-frame /var/tmp/clips
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>

#include <unistd.h>

#include "support/check.h"
#include "support/clip_server.h"
#include "support/file_view.h"
#include "support/test_server.h"

using namespace aimlvideo::test;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr auto patience = 60s;
constexpr auto downloaded = "/var/tmp/aimlvideo-first-frame.mp4";
int rounds = 5;

/// A service whose clip comes from a host behind a line.
struct Bench {
  FakeService service;
  ClipServer host;

  Bench(std::string_view clip, double megabits, bool parts)
      : host(
            clip,
            parts ? ClipServer::Manners{}
                  : [clip](const ClipRequest &, ClipAnswer &answer) {
                      answer.status = 200;
                      answer.headers.clear();
                      answer.contentRange.clear();
                      answer.first = 0;
                      answer.end = clip.size();
                    },
            ClipLine{40ms, megabits * 1e6 / 8}) {
    service.pollsUntilCompleted = 0;
    service.clipAddress = host.url() + "/clip.mp4";
  }
};

/// The first frame that a decoder gives since start() or seek().
class Player {
public:
  explicit Player(const std::function<GstElement *(Player &)> &make) : pipeline_(make(*this)) {}
  Player(const Player &) = delete;
  Player &operator=(const Player &) = delete;
  ~Player() {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
  }

  /// In seconds; negative: it failed.
  double start() {
    return time([this] { gst_element_set_state(pipeline_, GST_STATE_PLAYING); });
  }
  double seek(double seconds) {
    return time([&] {
      gst_element_seek_simple(pipeline_, GST_FORMAT_TIME,
                              static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
                              static_cast<gint64>(seconds * GST_SECOND));
    });
  }

  /// Ends a decoder's pad in a sink that tells of the first frame.
  void show(GstPad *pad) {
    GstElement *queue = gst_element_factory_make("queue", nullptr);
    GstElement *sink = gst_element_factory_make("fakesink", nullptr);
    g_object_set(sink, "sync", TRUE, nullptr);
    GstBin *bin = GST_BIN(gst_element_get_parent(gst_pad_get_parent_element(pad)));
    gst_bin_add_many(bin, queue, sink, nullptr);
    gst_element_link(queue, sink);
    watch(sink, pad);
    gst_element_sync_state_with_parent(sink);
    gst_element_sync_state_with_parent(queue);
    GstPad *end = gst_element_get_static_pad(queue, "sink");
    gst_pad_link(pad, end);
    gst_object_unref(end);
    gst_object_unref(bin);
  }
  void watch(GstElement *sink) { watchPad(sink); }

private:
  void watch(GstElement *sink, GstPad *pad) {
    GstCaps *caps = gst_pad_get_current_caps(pad);
    const bool video = caps && g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(caps, 0)), "video/");
    gst_clear_caps(&caps);
    if (video)
      watchPad(sink);
  }
  void watchPad(GstElement *sink) {
    GstPad *pad = gst_element_get_static_pad(sink, "sink");
    gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_BUFFER,
        +[](GstPad *, GstPadProbeInfo *, gpointer self) {
          static_cast<Player *>(self)->arrived();
          return GST_PAD_PROBE_OK;
        },
        this, nullptr);
    gst_object_unref(pad);
  }
  void arrived() {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(there_, true))
      when_ = Clock::now();
    changed_.notify_all();
  }

  double time(const std::function<void()> &act) {
    {
      const std::lock_guard lock(mutex_);
      there_ = false;
    }
    const auto begin = Clock::now();
    act();
    GstBus *bus = gst_element_get_bus(pipeline_);
    double seconds = -1;
    for (bool failed = false; !failed && Clock::now() - begin < patience;) {
      {
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, 5ms, [this] { return there_; })) {
          seconds = std::chrono::duration<double>(when_ - begin).count();
          break;
        }
      }
      if (GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR)) {
        failed = true;
        gst_message_unref(message);
      }
    }
    gst_object_unref(bus);
    return seconds;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool there_ = false;
  Clock::time_point when_;
  GstElement *pipeline_;
};

GstElement *parsed(Player &player, const std::string &line, const Bench &bench) {
  GError *error = nullptr;
  GstElement *pipeline = gst_parse_launch(line.c_str(), &error);
  if (error)
    g_error("%s: %s", line.c_str(), error->message);
  if (GstElement *source = gst_bin_get_by_name(GST_BIN(pipeline), "src")) {
    g_object_set(source, "base-url", bench.service.server.url().c_str(), "api-key", "k", "generation-id", "gen/1:model",
                 nullptr);
    gst_object_unref(source);
  }
  if (GstElement *decoder = gst_bin_get_by_name(GST_BIN(pipeline), "decoder")) {
    g_signal_connect(decoder, "pad-added", G_CALLBACK(+[](GstElement *, GstPad *pad, Player *to) { to->show(pad); }),
                     &player);
    gst_object_unref(decoder);
  }
  if (GstElement *sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink")) {
    player.watch(sink);
    gst_object_unref(sink);
  }
  return pipeline;
}

struct Way {
  const char *name;
  std::function<GstElement *(Player &, const Bench &)> make;
  bool downloadsFirst = false; ///< the whole clip, with curl, which counts

  double start(Player &player, const Bench &bench) const {
    if (!downloadsFirst)
      return player.start();
    const auto begin = Clock::now();
    if (std::system((std::string("curl -s -o ") + downloaded + " " + bench.service.clipAddress).c_str()) != 0)
      return -1;
    const std::chrono::duration<double> download = Clock::now() - begin;
    const double playing = player.start();
    unlink(downloaded);
    return playing < 0 ? playing : download.count() + playing;
  }
};

const Way ways[] = {
    {"aimlvideosrc ! decodebin (pull)",
     [](Player &p, const Bench &b) {
       return parsed(p, "aimlvideosrc name=src ! decodebin name=decoder", b);
     }},
    {"aimlvideosrc ! queue ! qtdemux (push)",
     [](Player &p, const Bench &b) {
       return parsed(
           p, "aimlvideosrc name=src ! queue ! qtdemux ! h264parse ! avdec_h264 ! fakesink name=sink sync=true", b);
     }},
    {"souphttpsrc ! decodebin",
     [](Player &p, const Bench &b) {
       return parsed(p, "souphttpsrc location=" + b.service.clipAddress + " ! decodebin name=decoder", b);
     }},
    {"curlhttpsrc ! decodebin",
     [](Player &p, const Bench &b) {
       return parsed(p, "curlhttpsrc location=" + b.service.clipAddress + " ! decodebin name=decoder", b);
     }},
    {"curl, then filesrc ! decodebin",
     [](Player &p, const Bench &b) {
       return parsed(p, std::string("filesrc location=") + downloaded + " ! decodebin name=decoder", b);
     },
     true},
};

double median(std::vector<double> values) {
  if (values.empty() || std::any_of(values.begin(), values.end(), [](double v) { return v < 0; }))
    return -1;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::string cell(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", seconds);
  return seconds < 0 ? "fails" : text;
}

struct Result {
  std::vector<double> seconds;
  std::vector<double> requests;
  std::vector<double> megabytes;
};

void firstFrames(const std::string &folder, const std::string &layout, bool parts, const std::vector<double> &rates) {
  const FileView clip(folder + "/" + layout + ".mp4");
  std::map<std::pair<size_t, double>, Result> results;
  for (int round = 0; round < rounds; ++round)
    for (const double rate : rates)
      for (size_t i = 0; i < G_N_ELEMENTS(ways); ++i) {
        const size_t way = (i + static_cast<size_t>(round)) % G_N_ELEMENTS(ways);
        Bench bench(clip.bytes(), rate, parts);
        Player player([&](Player &p) { return ways[way].make(p, bench); });
        Result &result = results[{way, rate}];
        result.seconds.push_back(ways[way].start(player, bench));
        result.requests.push_back(static_cast<double>(bench.host.requests().size()));
        result.megabytes.push_back(static_cast<double>(bench.host.bytesSent()) / 1e6);
      }
  std::printf("\n**%s.mp4, %.1f MB, Range %s**\n\n| pipeline |", layout.c_str(),
              static_cast<double>(clip.bytes().size()) / 1e6, parts ? "on" : "off");
  for (const double rate : rates)
    std::printf(" %.0f |", rate);
  std::puts(" requests | MB sent |");
  std::printf("|---|");
  for (size_t i = 0; i < rates.size() + 2; ++i)
    std::printf("---|");
  std::puts("");
  for (size_t way = 0; way < G_N_ELEMENTS(ways); ++way) {
    std::printf("| %s |", ways[way].name);
    for (const double rate : rates)
      std::printf(" %s |", cell(median(results[{way, rate}].seconds)).c_str());
    const Result &last = results[{way, rates[std::min<size_t>(2, rates.size() - 1)]}];
    std::printf(" %.0f | %.2f |\n", median(last.requests), median(last.megabytes));
  }
  std::fflush(stdout);
}

void seeks(const std::string &folder) {
  constexpr double places[] = {4.5, 0, 4.2};
  const FileView clip(folder + "/first.mp4");
  std::printf("\n**Seeks while first.mp4 comes at 20 Mbit/s: 300 ms after the first frame to 4.5 s, at once back to 0, "
              "5 s later to 4.2 s**\n\n| pipeline | 4.5 s | 0 | 4.2 s | requests |\n|---|---|---|---|---|\n");
  for (const Way &way : ways) {
    if (way.downloadsFirst)
      continue; // it has all of the file
    Result results[3];
    std::vector<double> requests;
    for (int round = 0; round < rounds; ++round) {
      Bench bench(clip.bytes(), 20, true);
      Player player([&](Player &p) { return way.make(p, bench); });
      (void)player.start();
      std::this_thread::sleep_for(300ms);
      for (size_t i = 0; i < 3; ++i) {
        if (i == 2)
          std::this_thread::sleep_for(5s);
        results[i].seconds.push_back(player.seek(places[i]));
      }
      requests.push_back(static_cast<double>(bench.host.requests().size()));
    }
    std::printf("| %s | %s | %s | %s | %.0f |\n", way.name, cell(median(results[0].seconds)).c_str(),
                cell(median(results[1].seconds)).c_str(), cell(median(results[2].seconds)).c_str(), median(requests));
    std::fflush(stdout);
  }
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc < 2)
    g_error("usage: first-frame FOLDER [ROUNDS] [first|last|fragments|seeks|short]");
  if (argc > 2)
    rounds = std::atoi(argv[2]);
  const std::string only = argc > 3 ? argv[3] : "";
  const bool brief = only == "short"; // what scripts/bench.sh has time for
  std::printf("Seconds to the first decoded frame by Mbit/s, 40 ms latency, medians of %d; requests and MB at the "
              "third rate, or the last.\n",
              rounds);
  for (const char *layout : {"first", "last", "fragments"})
    if (only.empty() || brief || only == layout)
      firstFrames(argv[1], layout, true,
                  brief && std::strcmp(layout, "first") != 0 ? std::vector<double>{20, 100}
                                                             : std::vector<double>{10, 20, 50, 100});
  if (only.empty() || only == "last")
    firstFrames(argv[1], "last", false, {20, 50, 100});
  if (only.empty() || brief || only == "seeks")
    seeks(argv[1]);
  return 0;
}
