// SPDX-License-Identifier: LGPL-2.1-or-later
#include "profile.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <vector>

#include "api/nearest.h"
#include "base/glib_ptr.h"

namespace aimlvideo::cli {

namespace {

using Kind = Profile::Kind;
using Silence = Profile::Silence;

// 4:2:0 at 8 bit is what every player decodes
constexpr auto broadVideo = "video/x-raw,format=I420";
constexpr auto stereo = "audio/x-raw,rate=48000,channels=2";

constexpr StreamFormat h264{"video/x-h264,profile=high", broadVideo, "x264enc",
                            "pass=qual quantizer=21 speed-preset=medium key-int-max=60"};
constexpr StreamFormat aac{"audio/mpeg,mpegversion=4", stereo, "voaacenc", "bitrate=160000"};

constexpr Profile table[] = {
    {"mp4", "mp4", "the clip as the service made it", Kind::AsIs, Silence::LeftOut, nullptr, nullptr, nullptr, {}, {}},
    {"h264", "mp4", "H.264 and AAC in MP4, always with sound: for editors, joins and every player", Kind::File,
     Silence::Added, "video/quicktime,variant=iso", "mp4mux", "faststart=true", h264, aac},
    {"webm",
     "webm",
     "VP9 and Opus in WebM: for the web",
     Kind::File,
     Silence::LeftOut,
     "video/webm",
     "webmmux",
     nullptr,
     {"video/x-vp9", broadVideo, "vp9enc",
      "deadline=1 cpu-used=4 threads=4 row-mt=true end-usage=cq cq-level=30 target-bitrate=4000000"},
     {"audio/x-opus", stereo, "opusenc", "bitrate=128000"}},
    {"hls", nullptr, "a folder with index.m3u8 and MPEG-TS segments of H.264 and AAC, always with sound", Kind::Hls,
     Silence::Added, nullptr, "hlssink2", nullptr, h264, aac},
    {"prores",
     "mov",
     "ProRes 422 HQ and PCM in QuickTime: for editing",
     Kind::File,
     Silence::LeftOut,
     "video/quicktime",
     "qtmux",
     nullptr,
     {"video/x-prores", "video/x-raw,format=I422_10LE", "avenc_prores_ks", "profile=hq threads=auto"},
     {"audio/x-raw,format=S16LE", stereo, nullptr, nullptr}},
    {"poster",
     "jpg",
     "the first frame as JPEG",
     Kind::Poster,
     Silence::LeftOut,
     nullptr,
     nullptr,
     nullptr,
     {"image/jpeg", nullptr, "jpegenc", nullptr},
     {}},
};

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
  const std::unique_ptr<char *, void (*)(char **)> list(g_strsplit(settings, " ", 0), g_strfreev);
  for (char **setting = list.get(); *setting; ++setting)
    if (char *value = strchr(*setting, '=')) {
      *value++ = '\0';
      gst_util_set_object_arg(G_OBJECT(element), *setting, value);
    }
}

bool exists(const char *element) {
  GstElementFactory *factory = gst_element_factory_find(element);
  const bool found = factory != nullptr;
  gst_clear_object(&factory);
  return found;
}

} // namespace

std::span<const Profile> profiles() {
  return table;
}

std::string profileNames() {
  std::string names;
  for (const Profile &profile : table)
    names += (names.empty() ? "" : ", ") + std::string(profile.name);
  return names;
}

Result<const Profile *> findProfile(const std::string &name) {
  std::vector<std::string> names;
  for (const Profile &profile : table) {
    if (name == profile.name)
      return &profile;
    names.emplace_back(profile.name);
  }
  const std::string nearest = nearestTo(name, names);
  return failure(ErrorKind::BadRequest, "there is no profile \"" + name + "\"", "there are " + profileNames(),
                 nearest.empty() ? "" : "Did you mean " + nearest + "?");
}

Result<void> checkExtension(const Profile &profile, const std::string &output) {
  const std::string extension = std::filesystem::path(output).extension();
  const auto isOf = [&extension](const Profile &one) {
    return one.extension && g_ascii_strcasecmp(extension.c_str(), (std::string(".") + one.extension).c_str()) == 0;
  };
  const auto *other = std::ranges::find_if(table, isOf);
  if (isOf(profile) || other == std::end(table))
    return {};
  const std::string made = profile.extension ? std::string(".") + profile.extension : "a folder";
  return failure(ErrorKind::BadRequest, output + " can't be written",
                 std::string("the profile ") + profile.name + " makes " + made,
                 std::string("Choose the profile ") + other->name + ", or another name");
}

Result<void> checkElements(const Profile &profile) {
  if (profile.kind == Kind::AsIs)
    return {};
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

void configureElement(const Profile &profile, GstElement *element) {
  const GstElementFactory *factory = gst_element_get_factory(element);
  const char *name = factory ? GST_OBJECT_NAME(factory) : nullptr;
  const auto applyWhere = [&](const char *wanted, const char *settings) {
    if (settings && g_strcmp0(name, wanted) == 0)
      configure(element, settings);
  };
  applyWhere(profile.muxer, profile.muxerSettings);
  applyWhere(profile.video.encoder, profile.video.settings);
  applyWhere(profile.audio.encoder, profile.audio.settings);
}

} // namespace aimlvideo::cli
