// SPDX-License-Identifier: LGPL-2.1-or-later
// Many elements in one process, each with one generation after another, for so long or so many.
//
//   soak-client --elements N (--generations N | --seconds N) [--poll-interval MS] [--sha256 HEX --bytes N]
//
// Takes the service and the key from the environment. Prints a line of JSON: what arrived, what did not and why, and
// the memory, threads and descriptors of this process when half was done and at the end.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gst/gst.h>
#include <json-glib/json-glib.h>

#include "support/holdings.h"

namespace {

using aimlvideo::test::Holdings;

using Clock = std::chrono::steady_clock;

struct Options {
  int elements = 10;
  int generations = 0; ///< 0: as many as fit into `seconds`
  int seconds = 60;
  int pollInterval = 0;
  std::string checksum; ///< SHA-256 of the first `bytes` of every clip; empty: not looked at
  gint64 bytes = 0;     ///< what is behind them is the mark
};

void write(JsonBuilder *json, const char *name, const Holdings &held) {
  json_builder_set_member_name(json, name);
  json_builder_begin_object(json);
  for (const auto &[key, value] :
       {std::pair("kilobytes", held.kilobytes), {"threads", held.threads}, {"descriptors", held.descriptors}}) {
    json_builder_set_member_name(json, key);
    json_builder_add_int_value(json, value);
  }
  json_builder_end_object(json);
}

class Soak {
public:
  explicit Soak(Options options) : options_(std::move(options)), loop_(g_main_loop_new(nullptr, FALSE)) {}
  Soak(const Soak &) = delete;
  Soak &operator=(const Soak &) = delete;
  ~Soak() { g_main_loop_unref(loop_); }

  void run() {
    begun_ = Clock::now();
    for (int i = 0; i < options_.elements; ++i)
      begin();
    g_main_loop_run(loop_);
  }

  std::string report() const {
    JsonBuilder *json = json_builder_new();
    json_builder_begin_object(json);
    const auto number = [json](const char *name, double value) {
      json_builder_set_member_name(json, name);
      json_builder_add_double_value(json, value);
    };
    number("begun", count_);
    number("arrived", arrived_);
    number("wrong", wrong_);
    number("seconds", std::chrono::duration<double>(Clock::now() - begun_).count());
    write(json, "half", half_);
    write(json, "end", Holdings::now());
    json_builder_set_member_name(json, "errors");
    json_builder_begin_object(json);
    for (const auto &[text, times] : errors_)
      number(text.c_str(), times);
    json_builder_end_object(json);
    json_builder_end_object(json);
    JsonNode *root = json_builder_get_root(json);
    char *text = json_to_string(root, FALSE);
    std::string result = text;
    g_free(text);
    json_node_unref(root);
    g_object_unref(json);
    return result;
  }

private:
  /// One pipeline and what it has brought.
  struct Line {
    Line(Soak &owner, int number) : soak(owner), pipeline(gst_pipeline_new(nullptr)) {
      GstElement *source = gst_element_factory_make("aimlvideosrc", nullptr);
      GstElement *sink = gst_element_factory_make("fakesink", nullptr);
      g_object_set(source, "prompt", ("soak " + std::to_string(number)).c_str(), "poll-interval",
                   owner.options_.pollInterval, nullptr);
      g_object_set(sink, "sync", FALSE, "signal-handoffs", TRUE, nullptr);
      g_signal_connect(sink, "handoff", G_CALLBACK(&Line::handoff), this);
      gst_bin_add_many(GST_BIN(pipeline), source, sink, nullptr);
      gst_element_link(source, sink);
      GstBus *bus = gst_element_get_bus(pipeline);
      watch = gst_bus_add_watch(bus, &Line::message, this);
      gst_object_unref(bus);
      gst_element_set_state(pipeline, GST_STATE_PLAYING);
    }
    Line(const Line &) = delete;
    Line &operator=(const Line &) = delete;
    ~Line() {
      gst_element_set_state(pipeline, GST_STATE_NULL);
      GstBus *bus = gst_element_get_bus(pipeline);
      gst_bus_remove_watch(bus);
      gst_object_unref(bus);
      gst_object_unref(pipeline);
      g_checksum_free(checksum);
    }

    static void handoff(GstElement *, GstBuffer *buffer, GstPad *, gpointer self) {
      GstMapInfo map;
      gst_buffer_map(buffer, &map, GST_MAP_READ);
      auto *line = static_cast<Line *>(self);
      const auto left = line->soak.options_.bytes - static_cast<gint64>(GST_BUFFER_OFFSET(buffer));
      g_checksum_update(line->checksum, map.data, std::clamp<gssize>(left, 0, static_cast<gssize>(map.size)));
      gst_buffer_unmap(buffer, &map);
    }

    static gboolean message(GstBus *, GstMessage *message, gpointer self) {
      auto *line = static_cast<Line *>(self);
      if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) {
        line->soak.ended(*line, "");
      } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        GError *error = nullptr;
        gst_message_parse_error(message, &error, nullptr);
        const std::string text = error->message;
        g_error_free(error);
        line->soak.ended(*line, text);
      }
      return G_SOURCE_CONTINUE;
    }

    Soak &soak;
    GstElement *pipeline;
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    guint watch = 0;
    bool over = false;
  };

  bool goOn() const {
    return options_.generations > 0 ? count_ < options_.generations
                                    : Clock::now() - begun_ < std::chrono::seconds(options_.seconds);
  }

  void begin() {
    if (goOn())
      lines_.push_back(std::make_unique<Line>(*this, count_++));
    else if (lines_.empty())
      g_main_loop_quit(loop_);
  }

  void ended(Line &line, const std::string &error) {
    if (std::exchange(line.over, true))
      return; // what follows an error
    if (!error.empty())
      ++errors_[error];
    else if (!options_.checksum.empty() && options_.checksum != g_checksum_get_string(line.checksum))
      ++wrong_;
    else
      ++arrived_;
    const bool halfWay = options_.generations > 0 ? count_ >= options_.generations / 2
                                                  : Clock::now() - begun_ >= std::chrono::seconds(options_.seconds) / 2;
    if (halfWay && half_.kilobytes == 0)
      half_ = Holdings::now();
    // not from within its own watch
    g_idle_add_once(
        +[](gpointer gone) {
          auto *over = static_cast<Line *>(gone);
          Soak &soak = over->soak;
          std::erase_if(soak.lines_, [over](const auto &item) { return item.get() == over; });
          soak.begin();
        },
        &line);
  }

  const Options options_;
  GMainLoop *loop_;
  Clock::time_point begun_;
  std::vector<std::unique_ptr<Line>> lines_;
  int count_ = 0;
  int arrived_ = 0;
  int wrong_ = 0;
  Holdings half_;
  std::map<std::string, int> errors_;
};

} // namespace

int main(int argc, char **argv) {
  Options options;
  char *checksum = nullptr;
  const GOptionEntry entries[] = {
      {"elements", 0, 0, G_OPTION_ARG_INT, &options.elements, "at the same time", "N"},
      {"generations", 0, 0, G_OPTION_ARG_INT, &options.generations, "in all", "N"},
      {"seconds", 0, 0, G_OPTION_ARG_INT, &options.seconds, "to begin generations for", "N"},
      {"poll-interval", 0, 0, G_OPTION_ARG_INT, &options.pollInterval, "of each element", "MS"},
      {"sha256", 0, 0, G_OPTION_ARG_STRING, &checksum, "of every clip", "HEX"},
      {"bytes", 0, 0, G_OPTION_ARG_INT64, &options.bytes, "of every clip, without the mark behind it", "N"},
      {},
  };
  GOptionContext *context = g_option_context_new(nullptr);
  g_option_context_add_main_entries(context, entries, nullptr);
  g_option_context_add_group(context, gst_init_get_option_group());
  GError *error = nullptr;
  if (!g_option_context_parse(context, &argc, &argv, &error)) {
    g_printerr("%s\n", error->message);
    return 2;
  }
  g_option_context_free(context);
  options.checksum = checksum ? checksum : "";
  g_free(checksum);
  Soak soak(std::move(options));
  soak.run();
  g_print("%s\n", soak.report().c_str());
  return 0;
}
