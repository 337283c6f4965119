// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One window: it shows the picture that is brought to life, with a progress bar, while the clip is generated; then it
// plays the clip.
//
//   c++ -std=c++20 -o player examples/player.cpp $(pkg-config --cflags --libs gstreamer-1.0 cairo)
//   ./player "Mona Lisa puts on glasses" mona.jpg
//
// The key is in AIMLAPI_KEY; AIMLAPI_BASE_URL names another service, such as the emulator.
//
// It is one pipeline. Its sinks have the picture and silence to play from the first moment on, so they need not wait
// for the clip; when the clip is there, the two selectors switch to it. Two things make that work:
//   - a decodebin keeps its pipeline out of PLAYING until it has found its streams, minutes later here. The bin around
//     it has async-handling, and keeps that to itself;
//   - the clip's timestamps begin at 0, when the pipeline has played for minutes. The offset of its pads moves them.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include <cairo.h>
#include <glib-unix.h>
#include <gst/gst.h>

namespace {

struct Release {
  void operator()(gpointer object) const { gst_object_unref(object); }
  void operator()(GMainLoop *loop) const { g_main_loop_unref(loop); }
  void operator()(GError *error) const { g_error_free(error); }
  void operator()(GstCaps *caps) const { gst_caps_unref(caps); }
  void operator()(char *text) const { g_free(text); }
};
template <typename T>
using Owned = std::unique_ptr<T, Release>;

constexpr int width = 960;
constexpr int height = 540;

constexpr auto description = R"(
  input-selector name=picture ! videoconvert ! videoscale ! video/x-raw,width=960,height=540,pixel-aspect-ratio=1/1 !
    autovideosink
  input-selector name=sound ! audioconvert ! audioresample ! autoaudiosink
  filesrc name=image ! decodebin ! videoflip method=automatic ! videoconvert ! videoscale !
    video/x-raw,format=BGRx,width=960,height=540,pixel-aspect-ratio=1/1 ! imagefreeze ! video/x-raw,framerate=25/1 !
    cairooverlay name=bar ! picture.
  audiotestsrc name=silence wave=silence ! audio/x-raw,rate=48000,channels=2 ! sound.
  bin.( async-handling=true aimlvideosrc name=source ! decodebin name=clip )
)";

class Player {
public:
  Player(const char *prompt, const char *image);
  int run();

private:
  Owned<GstElement> find(const char *name) const {
    return Owned<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
  }
  void received(GstMessage *message);
  void failed(GstMessage *message);
  void interrupted();
  void end(int exitCode);

  // on GStreamer's threads
  void drawBar(cairo_t *cairo);
  void streamFound(GstPad *pad);
  void allStreamsFound();

  Owned<GMainLoop> loop_{g_main_loop_new(nullptr, FALSE)};
  Owned<GstElement> pipeline_;
  Owned<GstElement> source_;
  int exitCode_ = 0;

  std::mutex mutex_; ///< for the next two
  std::string text_;
  int percent_ = 0;

  GstClockTime begin_ = GST_CLOCK_TIME_NONE; ///< of the clip, in the pipeline's time
  bool hasSound_ = false;
};

Player::Player(const char *prompt, const char *image) {
  GError *error = nullptr;
  pipeline_.reset(gst_parse_launch(description, &error));
  if (error) {
    std::fprintf(stderr, "%s\n", Owned<GError>(error)->message); // does GST_PLUGIN_PATH name the plugin's folder?
    pipeline_.reset();
    return;
  }
  source_ = find("source");
  g_object_set(source_.get(), "prompt", prompt, "image", image, nullptr);
  g_object_set(find("image").get(), "location", image, nullptr);
  g_signal_connect(find("bar").get(), "draw",
                   G_CALLBACK(+[](GstElement *, cairo_t *cairo, guint64, guint64, gpointer self) {
                     static_cast<Player *>(self)->drawBar(cairo);
                   }),
                   this);
  const auto clip = find("clip");
  g_signal_connect(clip.get(), "pad-added", G_CALLBACK(+[](GstElement *, GstPad *pad, gpointer self) {
                     static_cast<Player *>(self)->streamFound(pad);
                   }),
                   this);
  g_signal_connect(clip.get(), "no-more-pads",
                   G_CALLBACK(+[](GstElement *, gpointer self) { static_cast<Player *>(self)->allStreamsFound(); }),
                   this);
}

int Player::run() {
  if (!pipeline_)
    return 1;
  const Owned<GstBus> bus(gst_element_get_bus(pipeline_.get()));
  gst_bus_add_watch(
      bus.get(),
      +[](GstBus *, GstMessage *message, gpointer self) -> gboolean {
        static_cast<Player *>(self)->received(message);
        return G_SOURCE_CONTINUE;
      },
      this);
  for (const int number : {SIGINT, SIGTERM})
    g_unix_signal_add(
        number,
        +[](gpointer self) -> gboolean {
          static_cast<Player *>(self)->interrupted();
          return G_SOURCE_CONTINUE;
        },
        this);
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  g_main_loop_run(loop_.get());
  gst_bus_remove_watch(bus.get());
  return exitCode_;
}

void Player::received(GstMessage *message) {
  switch (GST_MESSAGE_TYPE(message)) {
  case GST_MESSAGE_PROGRESS: {
    char *text = nullptr;
    gst_message_parse_progress(message, nullptr, nullptr, &text);
    const Owned<char> owned(text);
    std::printf("%s\n", text);
    const std::lock_guard lock(mutex_);
    text_ = text;
    gst_structure_get_int(gst_message_get_structure(message), "percent", &percent_);
    break;
  }
  case GST_MESSAGE_ERROR:
    return failed(message);
  case GST_MESSAGE_EOS:
    return end(0);
  default:
    break;
  }
}

void Player::failed(GstMessage *message) {
  if (!g_main_loop_is_running(loop_.get()))
    return; // the first error gives the cause
  GError *error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  const Owned<GError> owned(error);
  std::fprintf(stderr, "%s: %s\n", GST_MESSAGE_SRC_NAME(message), error->message);
  if (GST_MESSAGE_SRC(message) == GST_OBJECT(source_.get()))
    return end(1); // it has reported everything
  interrupted();   // the window was closed, the picture can't be read
  exitCode_ = 1;
}

void Player::interrupted() {
  char *id = nullptr;
  g_object_get(source_.get(), "current-generation-id", &id, nullptr);
  end(130);
  if (const Owned<char> owned(id); id)
    std::fprintf(stderr, "Generation %s is paid for: the same command again resumes it.\n", id);
}

void Player::end(int exitCode) {
  exitCode_ = exitCode;
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL); // at once, whatever the service does
  g_main_loop_quit(loop_.get());
}

void Player::drawBar(cairo_t *cairo) {
  constexpr double margin = 40;
  constexpr double length = width - 2 * margin;
  const std::lock_guard lock(mutex_);
  cairo_set_source_rgba(cairo, 0, 0, 0, 0.6);
  cairo_rectangle(cairo, 0, height - 84, width, 84);
  cairo_fill(cairo);
  cairo_set_source_rgb(cairo, 1, 1, 1);
  cairo_rectangle(cairo, margin, height - 36, length, 12);
  cairo_fill(cairo);
  cairo_set_source_rgb(cairo, 1, 0.5, 0);
  cairo_rectangle(cairo, margin, height - 36, length * percent_ / 100, 12);
  cairo_fill(cairo);
  cairo_set_source_rgb(cairo, 1, 1, 1);
  cairo_set_font_size(cairo, 20);
  cairo_move_to(cairo, margin, height - 52);
  cairo_show_text(cairo, text_.c_str());
}

/// How far a selector has played.
GstClockTime timeOf(GstElement *selector) {
  const Owned<GstPad> pad(gst_element_get_static_pad(selector, "sink_0"));
  gint64 time = 0;
  g_object_get(pad.get(), "running-time", &time, nullptr);
  return static_cast<GstClockTime>(std::max<gint64>(time, 0));
}

void Player::streamFound(GstPad *pad) {
  const Owned<GstCaps> caps(gst_pad_get_current_caps(pad));
  const char *type = gst_structure_get_name(gst_caps_get_structure(caps.get(), 0));
  const bool isSound = g_str_has_prefix(type, "audio/");
  if (!isSound && !g_str_has_prefix(type, "video/"))
    return;
  hasSound_ = hasSound_ || isSound;
  const auto picture = find("picture");
  const auto sound = find("sound");
  if (begin_ == GST_CLOCK_TIME_NONE) // the same for both, or the lips would not move with the words
    begin_ = std::max(timeOf(picture.get()), timeOf(sound.get()));
  gst_pad_set_offset(pad, static_cast<gint64>(begin_));

  GstElement *selector = isSound ? sound.get() : picture.get();
  const Owned<GstPad> target(gst_element_request_pad_simple(selector, "sink_%u"));
  gst_pad_link_maybe_ghosting(pad, target.get());
  g_object_set(selector, "active-pad", target.get(), nullptr);
}

/// A clip without sound: the silence would continue forever after it. An EOS that is sent to its source waits for the
/// thread of the source, which may be held in the sink's preroll; so that thread sends it.
void Player::allStreamsFound() {
  if (hasSound_)
    return;
  const Owned<GstPad> pad(gst_element_get_static_pad(find("silence").get(), "src"));
  gst_pad_add_probe(
      pad.get(), GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad *silence, GstPadProbeInfo *, gpointer) {
        gst_pad_push_event(silence, gst_event_new_eos());
        return GST_PAD_PROBE_DROP;
      },
      nullptr, nullptr);
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc != 3) {
    std::fprintf(stderr, "usage: player PROMPT IMAGE\n");
    return 2;
  }
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  g_set_application_name(argv[1]); // the window's title
  return Player(argv[1], argv[2]).run();
}
