// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/media.h"

#include <algorithm>
#include <array>

#include "base/json/node.h"

namespace aimlvideo {

namespace {

bool hasScheme(std::string_view text, std::string_view scheme) {
  return text.size() > scheme.size() && text[scheme.size()] == ':' &&
         g_ascii_strncasecmp(text.data(), scheme.data(), scheme.size()) == 0;
}

bool isMedium(const Parameter &parameter) {
  return parameter.isUri || parameter.itemIsUri ||
         std::any_of(parameter.alternatives.begin(), parameter.alternatives.end(), isMedium);
}

/// The documentation does not mark every medium as one: `audio_url` of the avatars, `dynamic_masks[].mask`.
bool soundsLikeMedium(const std::string &name) {
  return name.ends_with("_url") || name.ends_with("_urls") || name == "mask" || name == "static_mask";
}

MediaKind kindOf(const std::string &name) {
  const auto has = [&](const char *part) {
    return name.find(part) != std::string::npos;
  };
  if (has("video"))
    return MediaKind::Video;
  if (has("audio"))
    return MediaKind::Audio;
  return has("image") || has("mask") || has("frame") ? MediaKind::Image : MediaKind::Any;
}

class Collector {
public:
  std::vector<MediaPlace> places;

  /// `parameters` may be null: nothing is known of this object.
  void collect(JsonObject *object, const std::vector<Parameter> *parameters, const std::string &path) {
    for (const std::string &name : json::memberNames(object)) {
      const Parameter *known = nullptr;
      if (parameters)
        for (const Parameter &parameter : *parameters)
          if (parameter.name == name)
            known = &parameter;
      collect(json_object_get_member(object, name.c_str()), known, name, path + name);
    }
  }

private:
  void collect(JsonNode *node, const Parameter *known, const std::string &name, const std::string &place) {
    if (JSON_NODE_HOLDS_OBJECT(node)) {
      const auto members = membersOf(known);
      collect(json_node_get_object(node), members.empty() ? nullptr : &members, place + ".");
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
      JsonArray *array = json_node_get_array(node);
      for (guint i = 0; i < json_array_get_length(array); ++i)
        collect(json_array_get_element(array, i), known, name, place + "[" + std::to_string(i) + "]");
    } else if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING) {
      collectText(json_node_get_string(node), known, name, place);
    }
  }

  void collectText(const std::string &text, const Parameter *known, const std::string &name, const std::string &place) {
    const bool otherScheme = text.find("://") != std::string::npos && !text.starts_with("file:");
    if (text.empty() || otherScheme || isWebAddress(text) || isDataUri(text))
      return;
    const bool documented = known && isMedium(*known);
    if (documented || (known && soundsLikeMedium(name)) || (!known && text.starts_with("file:/")))
      places.push_back({place, text, kindOf(name), documented});
  }

  /// The members of an object, also of one that may look this way or that.
  static std::vector<Parameter> membersOf(const Parameter *known) {
    if (!known)
      return {};
    std::vector<Parameter> members = known->members;
    for (const Parameter &alternative : known->alternatives)
      members.insert(members.end(), alternative.members.begin(), alternative.members.end());
    return members;
  }
};

} // namespace

bool isWebAddress(std::string_view text) {
  return hasScheme(text, "http") || hasScheme(text, "https");
}

bool isDataUri(std::string_view text) {
  return hasScheme(text, "data");
}

bool isMediaUri(std::string_view text) {
  if (isWebAddress(text)) {
    const auto uri = adopt(g_uri_parse(std::string(text).c_str(), G_URI_FLAGS_ENCODED, nullptr));
    return uri && g_uri_get_host(uri.get()) && *g_uri_get_host(uri.get());
  }
  if (!isDataUri(text))
    return false;
  const size_t comma = text.find(',');
  if (comma == std::string_view::npos || comma + 1 == text.size())
    return false;
  return !text.substr(0, comma).ends_with(";base64") || base64In(text);
}

std::optional<std::string> base64In(std::string_view uri) {
  const size_t comma = uri.find(',');
  if (!isDataUri(uri) || comma == std::string_view::npos || !uri.substr(0, comma).ends_with(";base64"))
    return {};
  std::string data(uri.substr(comma + 1));
  if (data.find('%') != std::string::npos) {
    const GCharPtr decoded(g_uri_unescape_string(data.c_str(), nullptr));
    if (!decoded)
      return {};
    data = decoded.get();
  }
  std::replace(data.begin(), data.end(), '-', '+');
  std::replace(data.begin(), data.end(), '_', '/');
  const size_t end = data.find_last_not_of('=') + 1;
  const bool padded = data.size() > end;
  if ((end == 0 && padded) || end % 4 == 1 || data.size() - end > 2 || (padded && data.size() % 4 != 0) ||
      !std::all_of(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(end),
                   [](char c) { return g_ascii_isalnum(c) || c == '+' || c == '/'; }))
    return {};
  data.resize(end);
  data.append((4 - end % 4) % 4, '=');
  gsize size = 0;
  const std::unique_ptr<guchar, GFree> bytes(g_base64_decode(data.c_str(), &size));
  return std::string(reinterpret_cast<const char *>(bytes.get()), size);
}

std::vector<MediaPlace> mediaPlacesIn(JsonObject *parameters, const std::vector<Parameter> *known) {
  Collector collector;
  if (parameters)
    collector.collect(parameters, known, "");
  return std::move(collector.places);
}

} // namespace aimlvideo
