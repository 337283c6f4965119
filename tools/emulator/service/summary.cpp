// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/summary.h"

#include <algorithm>

#include "emulator/wire/media.h"

namespace aimlvideo::emulator {

namespace {

Json mediaJson(const MediaReference &media) {
  if (!media.isData())
    return Json::object({{"parameter", media.parameter}, {"kind", "url"}, {"url", media.url}});
  return Json::object({{"parameter", media.parameter},
                       {"kind", "data"},
                       {"declared_type", media.mediaType},
                       {"image_type", imageTypeOf(media.bytes.view())},
                       {"size", media.bytes.size()},
                       {"sha256", media.sha256}});
}

bool isDataUri(const std::string &text) {
  return g_ascii_strncasecmp(text.c_str(), "data:", 5) == 0;
}

/// The value with every data URI in it shortened; what was found goes to `media`.
Json shorten(const std::string &parameter, const Json &value, bool isMedia, Json &media) {
  if (value.isString()) {
    const std::string text = value.string();
    const auto reference = isMedia || isDataUri(text) ? readMediaReference(parameter, text) : std::nullopt;
    if (reference)
      media.add(mediaJson(*reference));
    return isDataUri(text) ? Json(text.substr(0, text.find(',')) + ",…") : value;
  }
  if (value.isArray()) {
    Json copy = Json::array();
    for (const Json &element : value.elements())
      copy.add(shorten(parameter, element, isMedia, media));
    return copy;
  }
  if (value.isObject()) {
    Json copy = Json::object();
    for (const std::string &name : value.names())
      copy.set(name, shorten(parameter, value[name], isMedia, media));
    return copy;
  }
  return value;
}

bool isMediaParameter(const Model &model, const std::string &name) {
  return std::ranges::any_of(model.inputs, [&](const auto &input) {
    return input.first != "text" && std::ranges::find(input.second, name) != input.second.end();
  });
}

} // namespace

Json summarise(const Model &model, const Json &body) {
  Json parameters = Json::object();
  Json media = Json::array();
  for (const std::string &name : body.names())
    if (name != "model" && name != "prompt")
      parameters.set(name, shorten(name, body[name], isMediaParameter(model, name), media));
  return Json::object(
      {{"model", body["model"]}, {"prompt", body["prompt"]}, {"parameters", parameters}, {"media", media}});
}

} // namespace aimlvideo::emulator
