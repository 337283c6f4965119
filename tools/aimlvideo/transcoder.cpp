// SPDX-License-Identifier: LGPL-2.1-or-later
#include "transcoder.h"

#include <algorithm>
#include <utility>

#include "base/glib_ptr.h"
#include "encoding.h"
#include "output_mark.h"

namespace aimlvideo::cli {

namespace {

constexpr auto segmentSeconds = 4U;

bool carries(GstPad *pad, const char *medium) {
  GstCaps *caps = gst_pad_get_current_caps(pad);
  const bool carries = caps && gst_caps_get_size(caps) > 0 &&
                       g_str_has_prefix(gst_structure_get_name(gst_caps_get_structure(caps, 0)), medium);
  gst_clear_caps(&caps);
  return carries;
}

/// Width and height of what a decoder puts out.
std::pair<int, int> sizeOn(GstPad *pad) {
  int width = 0;
  int height = 0;
  GstCaps *caps = gst_pad_get_current_caps(pad);
  if (caps) {
    const GstStructure *structure = gst_caps_get_structure(caps, 0);
    gst_structure_get_int(structure, "width", &width);
    gst_structure_get_int(structure, "height", &height);
  }
  gst_clear_caps(&caps);
  return {width, height};
}

/// The caps that frames get before the encoder: the shape that is asked for, and even sides, without which 4:2:0 can't
/// be encoded.
std::string frameCaps(const Shape &shape, std::pair<int, int> size) {
  std::string caps = "video/x-raw";
  constexpr int even = ~1;
  const int width = shape.width > 0 ? shape.width : size.first & even;
  const int height = shape.height > 0 ? shape.height : size.second & even;
  if (shape.width > 0 || width != size.first || height != size.second)
    caps += ",width=" + std::to_string(std::max(width, 2)) + ",height=" + std::to_string(std::max(height, 2)) +
            ",pixel-aspect-ratio=1/1";
  if (shape.rate > 0)
    caps += ",framerate=" + std::to_string(shape.rate) + "/1";
  return caps;
}

GstPad *sourceOf(GstElement *element) {
  return gst_element_get_static_pad(element, "src");
}

/// Takes over the second pad, which may be missing: then the stream ends with an error.
void link(GstPad *from, GstPad *to) {
  if (to)
    gst_pad_link(from, to);
  gst_clear_object(&to);
}

/// Gives a raw stream to an encodebin, which converts it for its encoder. Takes over the pad.
void connectRaw(GstPad *raw, GstElement *encoder, const char *medium) {
  GstCaps *caps = gst_caps_new_empty_simple(medium);
  GstPad *input = nullptr;
  g_signal_emit_by_name(encoder, "request-pad", caps, &input);
  gst_caps_unref(caps);
  link(raw, input);
  gst_object_unref(raw);
}

} // namespace

Transcoder::Transcoder(const Profile &profile, const Shape &shape, const std::string &input, const std::string &output,
                       const std::string &mark, Ended ended)
    : profile_(profile),
      shape_(shape),
      output_(output),
      mark_(mark),
      ended_(std::move(ended)),
      pipeline_([this](GstMessage *message) { heard(message); }) {
  g_signal_connect_data(pipeline_.bin(), "deep-element-added",
                        G_CALLBACK(+[](GstBin *, GstBin *, GstElement *element, gpointer self) {
                          static_cast<Transcoder *>(self)->elementAdded(element);
                        }),
                        this, nullptr, G_CONNECT_DEFAULT);
  GstElement *source = pipeline_.add("filesrc");
  g_object_set(source, "location", input.c_str(), nullptr);
  GstElement *decoder = pipeline_.add("decodebin");
  gst_element_link(source, decoder);
  // The streams wait until all are known, so that a missing one can be distinguished from a late one.
  g_signal_connect_data(decoder, "pad-added", G_CALLBACK(+[](GstElement *, GstPad *pad, gpointer self) {
                          static_cast<Transcoder *>(self)->padAdded(pad);
                        }),
                        this, nullptr, G_CONNECT_DEFAULT);
  g_signal_connect_data(decoder, "no-more-pads", G_CALLBACK(+[](GstElement *, gpointer self) {
                          static_cast<Transcoder *>(self)->padsComplete();
                        }),
                        this, nullptr, G_CONNECT_DEFAULT);
  pipeline_.play();
}

void Transcoder::elementAdded(GstElement *element) {
  configureElement(profile_, element);
  if (!mark_.empty() && isMuxerOf(profile_, element))
    prepareMuxer(element);
}

std::optional<int> Transcoder::percent() const {
  if (length_ <= 0)
    return {};
  return static_cast<int>(std::clamp<gint64>(position_ * 100 / length_, 0, 99));
}

void Transcoder::heard(GstMessage *message) {
  if (over_ || (GST_MESSAGE_TYPE(message) != GST_MESSAGE_EOS && GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR))
    return;
  over_ = true;
  const auto ended = std::exchange(ended_, {}); // which may destroy this
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS)
    return ended({});
  GErrorSlot cause;
  gst_message_parse_error(message, &cause, nullptr);
  const bool full = g_error_matches(cause.get(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT);
  ended(failure(full ? ErrorKind::NoSpace : ErrorKind::BadAnswer,
                std::string("the clip can't be made into ") + profile_.name, cause.message(),
                "It is bought and kept: with the profile mp4 it comes as it is, without buying")
            .value());
}

void Transcoder::padAdded(GstPad *pad) {
  if (!video_ && carries(pad, "video/"))
    video_ = pad;
  else if (!sound_ && carries(pad, "audio/") && profile_.audio.caps)
    sound_ = pad;
  else
    others_.push_back(pad);
}

void Transcoder::padsComplete() {
  if (!video_)
    return refuse("it has no pictures");
  for (GstPad *pad : others_)
    ignore(pad);
  gint64 length = 0;
  if (gst_pad_query_duration(video_, GST_FORMAT_TIME, &length))
    length_ = length;
  watchProgress(video_);
  GstPad *video = preparedVideo();
  markStream(video, mark_);
  if (profile_.kind == Profile::Kind::Poster)
    return finishAsPoster(video);
  GstPad *sound = sound_ ? preparedSound() : profile_.silence == Profile::Silence::Added ? silence() : nullptr;
  if (sound_)
    markStream(sound, mark_);
  if (profile_.kind == Profile::Kind::Hls)
    finishAsStream(video, sound);
  else
    finishInContainer(video, sound);
  if (silence_) // it runs when all is linked
    gst_element_sync_state_with_parent(silence_);
}

void Transcoder::refuse(const std::string &why) {
  GST_ELEMENT_ERROR(GST_ELEMENT(pipeline_.bin()), STREAM, WRONG_TYPE, ("%s", why.c_str()), (nullptr));
}

/// Adds an element and lets it run.
GstElement *Transcoder::attach(GstElement *element) {
  gst_bin_add(pipeline_.bin(), element);
  gst_element_sync_state_with_parent(element);
  return element;
}

GstElement *Transcoder::chain(const std::string &description) {
  return attach(gst_parse_bin_from_description(description.c_str(), TRUE, nullptr));
}

void Transcoder::ignore(GstPad *pad) {
  GstElement *sink = gst_element_factory_make("fakesink", nullptr);
  g_object_set(sink, "async", FALSE, "sync", FALSE, nullptr);
  link(pad, gst_element_get_static_pad(attach(sink), "sink"));
}

GstPad *Transcoder::preparedVideo() {
  GstElement *frames = chain("queue ! videoconvert ! videoscale add-borders=true ! " +
                             std::string(shape_.rate > 0 ? "videorate ! " : "") + "capsfilter caps=\"" +
                             frameCaps(shape_, sizeOn(video_)) + "\"");
  link(video_, gst_element_get_static_pad(frames, "sink"));
  return sourceOf(frames);
}

GstPad *Transcoder::preparedSound() {
  GstElement *samples = chain("queue ! audioconvert ! audioresample ! capsfilter caps=\"" +
                              std::string(profile_.audio.restriction) + "\"");
  link(sound_, gst_element_get_static_pad(samples, "sink"));
  return sourceOf(samples);
}

/// As long as the pictures. Where nobody knows how long these are, it ends when they do.
GstPad *Transcoder::silence() {
  GstElement *source = gst_element_factory_make("audiotestsrc", nullptr);
  gst_util_set_object_arg(G_OBJECT(source), "wave", "silence");
  gst_bin_add(pipeline_.bin(), source);
  GstElement *filter = gst_element_factory_make("capsfilter", nullptr);
  gst_util_set_object_arg(G_OBJECT(filter), "caps", profile_.audio.restriction);
  attach(filter);
  gst_element_link(source, filter);
  if (length_ > 0)
    gst_element_send_event(source, gst_event_new_seek(1, GST_FORMAT_TIME, GST_SEEK_FLAG_NONE, GST_SEEK_TYPE_SET, 0,
                                                      GST_SEEK_TYPE_SET, length_));
  else
    gst_pad_add_probe(
        video_, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
        [](GstPad *, GstPadProbeInfo *info, gpointer silent) -> GstPadProbeReturn {
          if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS)
            gst_element_send_event(GST_ELEMENT(silent), gst_event_new_eos());
          return GST_PAD_PROBE_OK;
        },
        gst_object_ref(source), gst_object_unref);
  silence_ = source;
  return sourceOf(filter);
}

void Transcoder::finishInContainer(GstPad *video, GstPad *sound) {
  GstElement *encoder = gst_element_factory_make("encodebin", nullptr);
  GstEncodingProfile *wanted = encodingProfileFor(profile_, sound != nullptr);
  g_object_set(encoder, "profile", wanted, nullptr);
  gst_encoding_profile_unref(wanted);
  GstElement *sink = gst_element_factory_make("filesink", nullptr);
  g_object_set(sink, "location", output_.c_str(), nullptr);
  gst_bin_add_many(pipeline_.bin(), encoder, sink, nullptr);
  gst_element_link(encoder, sink);
  for (GstPad *pad : {video, sound}) {
    if (!pad)
      continue;
    connectRaw(pad, encoder, pad == video ? "video/x-raw" : "audio/x-raw");
  }
  gst_element_sync_state_with_parent(sink);
  gst_element_sync_state_with_parent(encoder);
}

/// One stream, encoded and without a container. Takes over the pad.
GstPad *Transcoder::encoded(const StreamFormat &format, GstPad *raw) {
  GstElement *encoder = gst_element_factory_make("encodebin", nullptr);
  GstEncodingProfile *wanted = encodingProfileFor(format);
  g_object_set(encoder, "profile", wanted, nullptr);
  gst_encoding_profile_unref(wanted);
  gst_bin_add(pipeline_.bin(), encoder);
  // without a container the pad is there from the start
  link(raw, gst_element_get_static_pad(encoder, g_str_has_prefix(format.caps, "video/") ? "video_0" : "audio_0"));
  gst_object_unref(raw);
  gst_element_sync_state_with_parent(encoder);
  return sourceOf(encoder);
}

void Transcoder::finishAsStream(GstPad *video, GstPad *sound) {
  GstElement *sink = gst_element_factory_make(profile_.muxer, nullptr);
  g_object_set(sink, "location", (output_ + "/segment%05d.ts").c_str(), "playlist-location",
               (output_ + "/index.m3u8").c_str(), "target-duration", segmentSeconds, "max-files", 0U, "playlist-length",
               0U, nullptr);
  gst_bin_add(pipeline_.bin(), sink);
  GstPad *videoInput = gst_element_request_pad_simple(sink, "video");
  GstPad *soundInput = gst_element_request_pad_simple(sink, "audio");
  gst_element_sync_state_with_parent(sink);
  GstPad *videoOutput = encoded(profile_.video, video);
  GstPad *soundOutput = encoded(profile_.audio, sound);
  link(videoOutput, videoInput);
  link(soundOutput, soundInput);
  gst_object_unref(videoOutput);
  gst_object_unref(soundOutput);
}

void Transcoder::finishAsPoster(GstPad *video) {
  GstElement *file = gst_element_factory_make("filesink", nullptr);
  g_object_set(file, "location", output_.c_str(), nullptr);
  attach(file);
  GstElement *picture = chain(std::string("videoconvert ! ") + profile_.video.encoder + " snapshot=true");
  gst_element_link(picture, file);
  link(video, gst_element_get_static_pad(picture, "sink"));
  gst_object_unref(video);
}

void Transcoder::watchProgress(GstPad *pad) {
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      [](GstPad *, GstPadProbeInfo *info, gpointer self) -> GstPadProbeReturn {
        if (const GstClockTime time = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info)); GST_CLOCK_TIME_IS_VALID(time))
          static_cast<Transcoder *>(self)->position_ = static_cast<gint64>(time);
        return GST_PAD_PROBE_OK;
      },
      this, nullptr);
}

} // namespace aimlvideo::cli
