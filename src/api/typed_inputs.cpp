// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/typed_inputs.h"

#include <algorithm>

#include "base/json/node.h"

namespace aimlvideo {

namespace {

/// Where models want the value of a property, the most common place first.
struct Synonyms {
  const char *property;
  /// `name`; `name[]`, a list of one; `name{}` or `name.member`, an object `{"type":"image","url":...}`.
  std::initializer_list<const char *> places; ///< constants; read by workers that are still running at exit
};

/// Of every other property it is its own name with underscores.
const Synonyms synonyms[] = {
    {"prompt", {"prompt", "lip_sync_tts_content"}},
    {"negative-prompt", {"negative_prompt"}},
    {"image",
     {"image_url", "first_frame_image", "keyframes.frame0", "character{}", "reference_image_url", "image_list[]",
      "image_urls[]"}},
    {"tail-image", {"tail_image_url", "last_image_url", "keyframes.frame1"}},
    {"aspect-ratio", {"aspect_ratio", "ratio", "frame_size"}},
    {"cfg-scale", {"cfg_scale", "guidance_scale"}},
    {"generate-audio", {"generate_audio", "generate_audio_switch"}},
};

std::vector<std::string> placesFor(const std::string &property) {
  for (const Synonyms &known : synonyms)
    if (known.property == property)
      return {known.places.begin(), known.places.end()};
  std::string name = property;
  std::ranges::replace(name, '-', '_');
  return {name};
}

std::string nameIn(std::string_view place) {
  return std::string(place.substr(0, place.find_first_of(".[{")));
}

/// Texts below this are not worth a stand-in.
constexpr size_t leastContents = 4096;

/// Whether a text is the same in JSON.
bool isPlain(const std::string &text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return g_ascii_isalnum(c) || c == '+' || c == '/' || c == '=' || c == ':' || c == ';' || c == ',' || c == '-' ||
           c == '.';
  });
}

JsonNode *stringNode(const std::string &text) {
  return json_node_init_string(json_node_alloc(), text.c_str());
}

/// `{"type":"image","url":...}`, as models want a frame that could also be another generation.
JsonNode *frameNode(const std::string &url) {
  const auto frame = adopt(json_object_new());
  json_object_set_string_member(frame.get(), "type", "image");
  json_object_set_string_member(frame.get(), "url", url.c_str());
  return json_node_init_object(json_node_alloc(), frame.get());
}

JsonNode *listNode(const std::string &url) {
  const auto list = adopt(json_array_new());
  json_array_add_string_element(list.get(), url.c_str());
  return json_node_init_array(json_node_alloc(), list.get());
}

} // namespace

std::string propertyFor(std::string_view parameter) {
  for (const Synonyms &known : synonyms)
    for (const char *place : known.places)
      if (nameIn(place) == parameter)
        return known.property;
  return "";
}

/// A copy of a value in which the text at each place in `media` is what that medium carries.
JsonNode *BodyWriter::copyWith(const std::map<std::string, Media> &media, JsonNode *node, const std::string &place) {
  if (JSON_NODE_HOLDS_OBJECT(node)) {
    const auto copy = adopt(json_object_new());
    JsonObject *object = json_node_get_object(node);
    for (const std::string &name : json::memberNames(object))
      json_object_set_member(copy.get(), name.c_str(),
                             copyWith(media, json_object_get_member(object, name.c_str()), place + "." + name));
    return json_node_init_object(json_node_alloc(), copy.get());
  }
  if (JSON_NODE_HOLDS_ARRAY(node)) {
    JsonArray *array = json_node_get_array(node);
    const auto copy = adopt(json_array_new());
    for (guint i = 0; i < json_array_get_length(array); ++i)
      json_array_add_element(copy.get(),
                             copyWith(media, json_array_get_element(array, i), place + "[" + std::to_string(i) + "]"));
    return json_node_init_array(json_node_alloc(), copy.get());
  }
  const auto replacement = media.find(place);
  return replacement == media.end() ? json_node_copy(node) : stringNode(standInFor(replacement->second));
}

/// What the object holds instead of a medium: the identity makes sure that nothing else in it says the same.
std::string BodyWriter::standInFor(const Media &media) {
  if (media.carried.size() < leastContents || media.identity.empty() || !isPlain(media.carried))
    return media.carried;
  std::string text = "data:,medium-" + std::to_string(contents_.size()) + "-" + media.identity;
  contents_.emplace(text, &media.carried);
  return text;
}

std::string BodyWriter::written() const {
  const auto node = adopt(json_node_init_object(json_node_alloc(), body_));
  const std::string text = json::write(node.get());
  std::map<size_t, const std::pair<const std::string, const std::string *> *> places;
  size_t size = text.size();
  for (const auto &entry : contents_) {
    if (const size_t at = text.find("\"" + entry.first + "\""); at != std::string::npos)
      places.emplace(at + 1, &entry);
    size += entry.second->size();
  }
  std::string body;
  body.reserve(size);
  size_t done = 0;
  for (const auto &[at, entry] : places) {
    body.append(text, done, at - done).append(*entry->second);
    done = at + entry->first.size();
  }
  body.append(text, done, std::string::npos);
  return body;
}

void BodyWriter::addParameters(JsonObject *parameters, const std::map<std::string, Media> &media) {
  for (const std::string &name : json::memberNames(parameters)) {
    json_object_set_member(body_, name.c_str(),
                           copyWith(media, json_object_get_member(parameters, name.c_str()), name));
    given_.push_back(name);
  }
  for (const auto &[place, medium] : media)
    if (!medium.identity.empty())
      identities[place] = medium.identity;
}

void BodyWriter::add(const std::string &property, const InputValue &value) {
  if (const auto *media = std::get_if<Media>(&value))
    return addMedia(property, *media);
  if (const auto *text = std::get_if<std::string>(&value))
    return addNode(property, stringNode(*text));
  if (const auto *number = std::get_if<double>(&value))
    return addNode(property, json_node_init_double(json_node_alloc(), *number));
  if (const auto *truth = std::get_if<bool>(&value))
    return addNode(property, json_node_init_boolean(json_node_alloc(), *truth));
  const int64_t number = std::get<int64_t>(value);
  const Parameter *known = parameter(placeFor(property));
  addNode(property, known && known->type == "string" // as a few models want their seconds
                        ? stringNode(std::to_string(number))
                        : json_node_init_int(json_node_alloc(), number));
}

void BodyWriter::addMedia(const std::string &property, const Media &media) {
  const std::string place = placeFor(property);
  const std::string name = nameIn(place);
  std::string carrier = place; // where the text itself ends up
  const std::string text = standInFor(media);
  if (place.ends_with("[]")) {
    carrier = name + "[0]";
    addNode(property, listNode(text));
  } else if (place.ends_with("{}")) {
    carrier = name + ".url";
    addNode(property, frameNode(text));
  } else if (place.find('.') != std::string::npos && !isGiven(name)) {
    carrier = place + ".url";
    if (!json_object_has_member(body_, name.c_str()))
      json_object_set_object_member(body_, name.c_str(), json_object_new());
    json_object_set_member(json_object_get_object_member(body_, name.c_str()), place.substr(name.size() + 1).c_str(),
                           frameNode(text));
  } else {
    addNode(property, stringNode(text));
  }
  if (!media.identity.empty() && !isGiven(name))
    identities[carrier] = media.identity;
}

void BodyWriter::addNode(const std::string &property, JsonNode *value) {
  auto node = adopt(value);
  const std::string name = nameIn(placeFor(property));
  if (name.empty())
    faults.push_back("the model takes no " + property);
  else if (isGiven(name))
    faults.push_back("parameters contains " + name + ", which the property " + property +
                     " sets as well; give it once");
  else
    json_object_set_member(body_, name.c_str(), node.release());
}

/// Empty: the model has none.
std::string BodyWriter::placeFor(const std::string &property) const {
  const auto places = placesFor(property);
  if (!parameters_)
    return places.front();
  const auto known =
      std::ranges::find_if(places, [this](const auto &place) { return parameter(nameIn(place)) != nullptr; });
  return known == places.end() ? "" : *known;
}

const Parameter *BodyWriter::parameter(std::string_view name) const {
  if (parameters_)
    for (const Parameter &candidate : *parameters_)
      if (candidate.name == name)
        return &candidate;
  return nullptr;
}

bool BodyWriter::isGiven(const std::string &name) const {
  return std::find(given_.begin(), given_.end(), name) != given_.end();
}

} // namespace aimlvideo
