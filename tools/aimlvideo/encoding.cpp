// SPDX-License-Identifier: LGPL-2.1-or-later
#include "encoding.h"

#include <cstring>
#include <memory>

#include "base/glib_ptr.h"

namespace aimlvideo::cli {

namespace {

using CapsPtr = std::unique_ptr<GstCaps, void (*)(GstCaps *)>;

CapsPtr capsOf(const char *text) {
  return {text ? gst_caps_from_string(text) : nullptr, [](GstCaps *caps) {
            gst_clear_caps(&caps);
          }};
}

/// encodebin would take the encoder of the highest rank; the quality is to be the same everywhere.
void choose(GstEncodingProfile *profile, const char *element) {
  if (element)
    gst_encoding_profile_set_preset_name(profile, element);
}

void configure(GstElement *element, const char *settings) {
  const GStrvPtr list(g_strsplit(settings, " ", 0));
  for (char **setting = list.get(); *setting; ++setting)
    if (char *value = strchr(*setting, '=')) {
      *value++ = '\0';
      gst_util_set_object_arg(G_OBJECT(element), *setting, value);
    }
}

/// Null: it has no name.
const char *factoryOf(GstElement *element) {
  const GstElementFactory *factory = gst_element_get_factory(element);
  return factory ? GST_OBJECT_NAME(factory) : nullptr;
}

bool exists(const char *element) {
  GstElementFactory *factory = gst_element_factory_find(element);
  const bool found = factory != nullptr;
  gst_clear_object(&factory);
  return found;
}

} // namespace

Result<void> checkElements(const Profile &profile) {
  if (profile.kind == Profile::Kind::AsIs)
    return {};
  gst_init(nullptr, nullptr);
  std::string missing;
  for (const char *element :
       {"filesrc", "filesink", "decodebin", "encodebin", "videoconvert", "videoscale", "videorate", "audiotestsrc",
        "audioconvert", "audioresample", profile.muxer, profile.video.encoder, profile.audio.encoder})
    if (element && !exists(element))
      missing += (missing.empty() ? "" : ", ") + std::string(element);
  if (missing.empty())
    return {};
  return failure(ErrorKind::NotFound, std::string("the profile ") + profile.name + " can't be used",
                 "GStreamer has no " + missing,
                 "Install gstreamer1.0-plugins-base, -good, -bad, -ugly and gstreamer1.0-libav; nothing was bought");
}

GstEncodingProfile *encodingProfileFor(const StreamFormat &format) {
  const auto caps = capsOf(format.caps);
  const auto restriction = capsOf(format.restriction);
  const bool isAudio = g_str_has_prefix(format.caps, "audio/");
  auto *profile = isAudio
                      ? GST_ENCODING_PROFILE(gst_encoding_audio_profile_new(caps.get(), nullptr, restriction.get(), 0))
                      : GST_ENCODING_PROFILE(gst_encoding_video_profile_new(caps.get(), nullptr, restriction.get(), 0));
  if (!isAudio) // the times of the frames are kept
    gst_encoding_video_profile_set_variableframerate(GST_ENCODING_VIDEO_PROFILE(profile), TRUE);
  choose(profile, format.encoder);
  return profile;
}

GstEncodingProfile *encodingProfileFor(const Profile &profile, bool withSound) {
  const auto caps = capsOf(profile.container);
  auto *container = gst_encoding_container_profile_new(profile.name, nullptr, caps.get(), nullptr);
  choose(GST_ENCODING_PROFILE(container), profile.muxer);
  gst_encoding_container_profile_add_profile(container, encodingProfileFor(profile.video));
  if (withSound)
    gst_encoding_container_profile_add_profile(container, encodingProfileFor(profile.audio));
  return GST_ENCODING_PROFILE(container);
}

bool isMuxerOf(const Profile &profile, GstElement *element) {
  return profile.muxer && g_strcmp0(factoryOf(element), profile.muxer) == 0;
}

void configureElement(const Profile &profile, GstElement *element) {
  const char *name = factoryOf(element);
  const auto applyWhere = [&](const char *wanted, const char *settings) {
    if (settings && g_strcmp0(name, wanted) == 0)
      configure(element, settings);
  };
  applyWhere(profile.muxer, profile.muxerSettings);
  applyWhere(profile.video.encoder, profile.video.settings);
  applyWhere(profile.audio.encoder, profile.audio.settings);
}

} // namespace aimlvideo::cli
