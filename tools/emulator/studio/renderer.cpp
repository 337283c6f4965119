// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/studio/renderer.h"

#include <cmath>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <glib/gstdio.h>
#include <gst/app/app.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include "emulator/studio/caption.h"
#include "emulator/studio/mp4.h"
#include "emulator/studio/painter.h"
#include "emulator/studio/sound.h"

namespace aimlvideo::emulator {

namespace {

constexpr int keyFrameSeconds = 2;
constexpr size_t framesAhead = 6;

using Result = tl::expected<void, std::string>;

const char *audioEncoder() {
  for (const char *name : {"avenc_aac", "fdkaacenc", "voaacenc"}) {
    const auto factory = adopt(gst_element_factory_find(name));
    if (factory)
      return name;
  }
  return nullptr;
}

const char *muxerOptions(Layout layout) {
  if (layout == Layout::FastStart)
    return " faststart=true";
  return layout == Layout::Fragmented ? " fragment-duration=1000" : "";
}

std::string describe(const Look &look, Size size) {
  const std::string rate = std::to_string(look.framesPerSecond);
  std::string text =
      "appsrc name=video format=time block=true max-buffers=" + std::to_string(framesAhead) +
      " max-bytes=0 caps=video/x-raw,format=I420,width=" + std::to_string(size.width) +
      ",height=" + std::to_string(size.height) + ",framerate=" + rate + "/1,colorimetry=bt709,pixel-aspect-ratio=1/1" +
      " ! x264enc speed-preset=superfast pass=qual quantizer=25 key-int-max=" +
      std::to_string(look.framesPerSecond * keyFrameSeconds) +
      " ! video/x-h264,profile=main ! h264parse ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! mp4mux "
      "name=mux" +
      muxerOptions(look.layout) + " ! filesink name=file";
  if (look.sound)
    text += std::string(" appsrc name=audio format=time max-bytes=0 caps=audio/x-raw,format=F32LE,layout=interleaved,"
                        "rate=48000,channels=2 ! audioconvert ! ") +
            audioEncoder() + " ! aacparse ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! mux.";
  return text;
}

/// A pipeline that never outlives the scope.
class Encoder {
public:
  static tl::expected<Encoder, std::string> open(const Look &look, Size size, const std::string &path) {
    GErrorSlot error;
    GstElement *pipeline = gst_parse_launch(describe(look, size).c_str(), &error);
    if (pipeline)
      gst_object_ref_sink(pipeline);
    Encoder encoder(adopt(pipeline));
    if (error)
      return tl::unexpected<std::string>(error.message());
    g_object_set(encoder.child("file").get(), "location", path.c_str(), nullptr);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    return encoder;
  }
  Encoder(Encoder &&) = default;
  ~Encoder() {
    if (pipeline_)
      gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }

  /// False once the pipeline has failed.
  bool push(const char *source, GstBuffer *buffer) {
    return gst_app_src_push_buffer(GST_APP_SRC(child(source).get()), buffer) == GST_FLOW_OK;
  }

  void end(const char *source) { gst_app_src_end_of_stream(GST_APP_SRC(child(source).get())); }

  /// Waits until all is written.
  Result finish(const std::stop_token &stop) {
    const auto bus = adopt(gst_element_get_bus(pipeline_.get()));
    const auto wanted = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    while (!stop.stop_requested()) {
      GstMessage *message = gst_bus_timed_pop_filtered(bus.get(), 50 * GST_MSECOND, wanted);
      if (!message)
        continue;
      Result result;
      if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
        GErrorSlot error;
        gst_message_parse_error(message, &error, nullptr);
        result = tl::unexpected<std::string>(error.message());
      }
      gst_message_unref(message);
      return result;
    }
    return tl::unexpected<std::string>("stopped");
  }

private:
  explicit Encoder(GRefPtr<GstElement> pipeline) : pipeline_(std::move(pipeline)) {}
  GRefPtr<GstElement> child(const char *name) const {
    return adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
  }

  GRefPtr<GstElement> pipeline_;
};

std::unique_ptr<Painter> makePainter(const Look &look, Size size, std::optional<Picture> &first,
                                     std::optional<Picture> &last) {
  std::optional<Picture> end;
  if (last)
    end = fill(*last, size);
  if (first)
    return makeImagePainter(fill(*first, size), std::move(end));
  if (end)
    return makeImagePainter(*end, std::nullopt);
  return makeScenePainter(std::hash<std::string>()(look.prompt), size);
}

GstBuffer *newFrame(const GstVideoInfo &info, const std::function<void(const Canvas &)> &draw) {
  GstBuffer *buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr);
  GstVideoFrame frame;
  if (!gst_video_frame_map(&frame, &info, buffer, GST_MAP_WRITE))
    return buffer;
  Canvas canvas;
  for (unsigned i = 0; i < canvas.size(); ++i)
    canvas[i] = {static_cast<uint8_t *>(GST_VIDEO_FRAME_PLANE_DATA(&frame, i)), GST_VIDEO_FRAME_PLANE_STRIDE(&frame, i),
                 GST_VIDEO_FRAME_COMP_WIDTH(&frame, i), GST_VIDEO_FRAME_COMP_HEIGHT(&frame, i)};
  draw(canvas);
  gst_video_frame_unmap(&frame);
  return buffer;
}

void pushSound(Encoder &encoder, const Look &look) {
  const std::vector<float> samples = synthesise(look.prompt, look.seconds);
  const auto size = samples.size() * sizeof(float);
  GstBuffer *buffer = gst_buffer_new_memdup(samples.data(), size);
  GST_BUFFER_PTS(buffer) = 0;
  GST_BUFFER_DURATION(buffer) = static_cast<GstClockTime>(look.seconds * GST_SECOND);
  encoder.push("audio", buffer);
  encoder.end("audio");
}

bool pushFrames(Encoder &encoder, const Look &look, Size size, Painter &painter, const std::stop_token &stop) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, guint(size.width), guint(size.height));
  Captions captions(look, size);
  const int count = std::max(1, static_cast<int>(std::lround(look.seconds * look.framesPerSecond)));
  for (int i = 0; i < count; ++i) {
    if (stop.stop_requested())
      return false;
    GstBuffer *buffer = newFrame(info, [&](const Canvas &canvas) {
      painter.paint(double(i) / std::max(1, count - 1), canvas);
      captions.drawOn(canvas, double(i) / look.framesPerSecond);
    });
    const auto rate = guint64(look.framesPerSecond);
    GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(guint64(i), GST_SECOND, rate);
    GST_BUFFER_DURATION(buffer) = gst_util_uint64_scale(guint64(i) + 1, GST_SECOND, rate) - GST_BUFFER_PTS(buffer);
    if (!encoder.push("video", buffer))
      return true; // the reason is on the bus
  }
  encoder.end("video");
  return true;
}

Result clearTimesIn(const std::string &path) {
  GErrorSlot error;
  const auto file = adopt(g_mapped_file_new(path.c_str(), TRUE, &error));
  if (!file)
    return tl::unexpected<std::string>(error.message());
  // A private mapping: the changed bytes have to be written back.
  auto *data = reinterpret_cast<uint8_t *>(g_mapped_file_get_contents(file.get()));
  const auto size = g_mapped_file_get_length(file.get());
  clearTimes({data, size});
  g_file_set_contents(path.c_str(), reinterpret_cast<char *>(data), static_cast<gssize>(size), &error);
  return error ? Result(tl::unexpected<std::string>(error.message())) : Result();
}

} // namespace

Result render(const Look &look, std::optional<Picture> first, std::optional<Picture> last, const std::string &path,
              const std::stop_token &stop) {
  const double aspect = first ? first->aspect() : last ? last->aspect() : look.aspect;
  const Size size = frameSize(look, aspect);
  const auto painter = makePainter(look, size, first, last);
  {
    auto encoder = Encoder::open(look, size, path);
    if (!encoder)
      return tl::unexpected(encoder.error());
    if (look.sound)
      pushSound(*encoder, look);
    if (!pushFrames(*encoder, look, size, *painter, stop))
      return tl::unexpected<std::string>("stopped");
    if (Result finished = encoder->finish(stop); !finished)
      return finished;
  }
  return clearTimesIn(path);
}

std::string missingElements() {
  std::string missing;
  for (const char *name : {"appsrc", "filesink", "videoconvert", "x264enc", "h264parse", "aacparse", "mp4mux", "pngdec",
                           "jpegdec", "jpegenc", "webpdec", "audioconvert"}) {
    const auto factory = adopt(gst_element_factory_find(name));
    if (!factory)
      missing += std::string(missing.empty() ? "" : ", ") + name;
  }
  if (!audioEncoder())
    missing += std::string(missing.empty() ? "" : ", ") + "avenc_aac";
  return missing;
}

} // namespace aimlvideo::emulator
