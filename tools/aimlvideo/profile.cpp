// SPDX-License-Identifier: LGPL-2.1-or-later
#include "profile.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <vector>

#include <glib.h>

#include "api/nearest.h"

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
    {"mp4",
     "mp4",
     "video/mp4",
     "the clip as the service made it",
     Kind::AsIs,
     Silence::LeftOut,
     nullptr,
     nullptr,
     nullptr,
     {},
     {}},
    {"h264", "mp4", "video/mp4", "H.264 and AAC in MP4, always with sound: for editors, joins and every player",
     Kind::File, Silence::Added, "video/quicktime,variant=iso", "mp4mux", "faststart=true", h264, aac},
    {"webm",
     "webm",
     "video/webm",
     "VP9 and Opus in WebM: for the web",
     Kind::File,
     Silence::LeftOut,
     "video/webm",
     "webmmux",
     nullptr,
     {"video/x-vp9", broadVideo, "vp9enc",
      "deadline=1 cpu-used=4 threads=4 row-mt=true end-usage=cq cq-level=30 target-bitrate=4000000"},
     {"audio/x-opus", stereo, "opusenc", "bitrate=128000"}},
    {"hls", nullptr, nullptr, "a folder with index.m3u8 and MPEG-TS segments of H.264 and AAC, always with sound",
     Kind::Hls, Silence::Added, nullptr, "hlssink2", nullptr, h264, aac},
    {"prores",
     "mov",
     "video/quicktime",
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
     "image/jpeg",
     "the first frame as JPEG",
     Kind::Poster,
     Silence::LeftOut,
     nullptr,
     nullptr,
     nullptr,
     {"image/jpeg", nullptr, "jpegenc", nullptr},
     {}},
};

std::string joinedNames(const char *separator) {
  std::string names;
  for (const Profile &profile : table)
    names += (names.empty() ? "" : separator) + std::string(profile.name);
  return names;
}

/// `.jpeg` is one that other programs write.
bool isExtensionOf(const Profile &profile, const std::string &extension) {
  const bool isJpeg = g_ascii_strcasecmp(extension.c_str(), ".jpeg") == 0;
  return profile.extension &&
         g_ascii_strcasecmp(isJpeg ? ".jpg" : extension.c_str(), (std::string(".") + profile.extension).c_str()) == 0;
}

} // namespace

std::span<const Profile> profiles() {
  return table;
}

std::string profileNames() {
  return joinedNames(", ");
}

std::string choicesOfProfiles() {
  return joinedNames("|");
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

Result<const Profile *> profileFor(const std::string &output) {
  const std::string extension = std::filesystem::path(output).extension();
  std::string known;
  for (const Profile &profile : table) {
    if (isExtensionOf(profile, extension))
      return &profile;
    if (profile.extension && known.find(std::string(".") + profile.extension) == std::string::npos)
      known += (known.empty() ? "." : ", .") + std::string(profile.extension);
  }
  return failure(ErrorKind::BadRequest, "it is not known what to make of " + output,
                 extension.empty() ? "its name has no extension" : "no profile makes " + extension,
                 "Name a file with one of " + known + ", or choose a --profile: " + profileNames());
}

Result<void> checkExtension(const Profile &profile, const std::string &output) {
  const std::string extension = std::filesystem::path(output).extension();
  const auto *other =
      std::ranges::find_if(table, [&extension](const Profile &one) { return isExtensionOf(one, extension); });
  if (isExtensionOf(profile, extension) || other == std::end(table))
    return {};
  const std::string made = profile.extension ? std::string(".") + profile.extension : "a folder";
  return failure(ErrorKind::BadRequest, output + " can't be written",
                 std::string("the profile ") + profile.name + " makes " + made,
                 std::string("Choose the profile ") + other->name + ", or another name");
}

Result<void> parseSize(const std::string &text, Shape &shape) {
  int width = 0;
  int height = 0;
  int used = 0;
  constexpr int least = 16;
  constexpr int most = 8192;
  const bool read =
      std::sscanf(text.c_str(), "%4dx%4d%n", &width, &height, &used) == 2 && static_cast<size_t>(used) == text.size();
  const auto fits = [](int side) {
    return side >= least && side <= most && side % 2 == 0;
  };
  if (!read || !fits(width) || !fits(height))
    return failure(ErrorKind::BadRequest, "the size can't be \"" + text + "\"",
                   "it is WIDTHxHEIGHT with even numbers, such as 1280x720");
  shape.width = width;
  shape.height = height;
  return {};
}

Result<void> parseRate(const std::string &text, Shape &shape) {
  guint64 rate = 0;
  constexpr guint64 most = 240;
  if (!g_ascii_string_to_unsigned(text.c_str(), 10, 1, most, &rate, nullptr))
    return failure(ErrorKind::BadRequest, "the rate can't be \"" + text + "\"",
                   "it is a number of frames per second, such as 30");
  shape.rate = static_cast<int>(rate);
  return {};
}

} // namespace aimlvideo::cli
