// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/requested_look.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace aimlvideo::emulator {

namespace {

constexpr double longestClip = 60;

/// The value sent, else the documented default.
Json valueOf(const Model &model, const Json &body, const char *name) {
  const Json sent = body[name];
  const Parameter *parameter = model.parameter(name);
  return sent.exists() || !parameter ? sent : parameter->fallback;
}

double numberIn(const Json &value) {
  return value.isString() ? g_ascii_strtod(value.string().c_str(), nullptr) : value.number();
}

double readSeconds(const Model &model, const Json &body, int framesPerSecond) {
  double seconds = numberIn(valueOf(model, body, "duration"));
  if (seconds <= 0)
    seconds = numberIn(valueOf(model, body, "num_frames")) / framesPerSecond;
  return seconds > 0 ? std::min(seconds, longestClip) : 5;
}

int readFrameRate(const Model &model, const Json &body) {
  for (const char *name : {"fps", "frames_per_second"})
    if (const double rate = numberIn(valueOf(model, body, name)); rate > 0)
      return std::clamp(static_cast<int>(rate), 1, 60);
  return model.vendor == "Kling AI" ? 24 : 30;
}

/// "16:9" or "1280x720"; nothing for "auto" and its like.
std::optional<double> readRatio(const std::string &text) {
  double width = 0, height = 0;
  char separator = 0;
  if (std::sscanf(text.c_str(), "%lf%c%lf", &width, &separator, &height) != 3 || width <= 0 || height <= 0)
    return std::nullopt;
  return std::clamp(width / height, 0.2, 5.0);
}

double readAspect(const Model &model, const Json &body) {
  for (const char *name : {"aspect_ratio", "ratio", "frame_size"})
    if (const auto ratio = readRatio(valueOf(model, body, name).string()))
      return *ratio;
  // The sample of a model that takes a picture has the shape of that picture.
  if (model.sample.width && !model.takes("image"))
    return double(model.sample.width) / model.sample.height;
  return 16.0 / 9;
}

int shortSideOf(std::string resolution) {
  std::ranges::transform(resolution, resolution.begin(), [](char c) { return g_ascii_tolower(c); });
  for (auto [name, lines] : {std::pair("hd", 720), {"fhd", 1080}, {"2k", 1440}, {"4k", 2160}})
    if (resolution == name)
      return lines;
  return std::clamp(std::atoi(resolution.c_str()), 0, 2160);
}

int readArea(const Model &model, const Json &body) {
  if (const int lines = shortSideOf(valueOf(model, body, "resolution").string()))
    return lines * lines * 16 / 9;
  if (model.sample.width)
    return model.sample.width * model.sample.height;
  return model.id.find("1080p") != std::string::npos ? 1920 * 1080 : 1280 * 720;
}

bool readSound(const Model &model, const Json &body) {
  for (const char *name : {"generate_audio", "generate_audio_switch"})
    if (const Json value = valueOf(model, body, name); value.isBoolean())
      return value.boolean();
  return model.sample.sound.value_or(false) || model.takes("audio");
}

/// A parameter may hold one address, several, or objects with one.
std::optional<MediaReference> findMedia(const std::string &name, const Json &value) {
  if (value.isString())
    return readMediaReference(name, value.string());
  for (const Json &element : value.elements())
    if (const auto media = findMedia(name, element))
      return media;
  for (const std::string &member : value.names())
    if (const auto media = findMedia(name, value[member]))
      return media;
  return std::nullopt;
}

bool isLastImage(const std::string &name) {
  return name == "tail_image_url" || name == "last_image_url";
}

bool isMask(const std::string &name) {
  return name == "static_mask" || name == "dynamic_masks";
}

void readImages(const Model &model, const Json &body, Look &look) {
  const auto images = model.inputs.find("image");
  if (images == model.inputs.end())
    return;
  for (const std::string &name : images->second) {
    const Json value = body[name];
    if (name == "keyframes") {
      look.firstImage = findMedia(name, value["frame0"]);
      look.lastImage = findMedia(name, value["frame1"]);
    } else if (isLastImage(name)) {
      if (!look.lastImage)
        look.lastImage = findMedia(name, value);
    } else if (!isMask(name) && !look.firstImage) {
      look.firstImage = findMedia(name, value);
    }
  }
}

} // namespace

Look requestedLook(const Model &model, const Json &body) {
  Look look;
  look.model = model.id;
  look.prompt = body["prompt"].string();
  readImages(model, body, look);
  look.aspect = readAspect(model, body);
  look.area = readArea(model, body);
  look.framesPerSecond = readFrameRate(model, body);
  look.seconds = readSeconds(model, body, look.framesPerSecond);
  look.sound = readSound(model, body);
  return look;
}

} // namespace aimlvideo::emulator
