// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/request.h"

#include <algorithm>
#include <cmath>

#include "api/canonical.h"
#include "api/json.h"

namespace aimlvideo {

namespace {

constexpr auto flagshipWithImage = "klingai/video-v2-6-pro-image-to-video";
constexpr auto flagshipWithoutImage = "klingai/video-v2-6-pro-text-to-video";

/// A property of ours and the names under which models know it, the most common first.
struct TypedInput {
  const char *property;
  std::vector<const char *> names;
};

const TypedInput promptInput{"prompt", {"prompt"}};
const TypedInput negativePromptInput{"negative-prompt", {"negative_prompt"}};
const TypedInput imageInput{"image", {"image_url", "first_frame_image"}};
const TypedInput tailImageInput{"tail-image", {"tail_image_url", "last_image_url"}};
const TypedInput durationInput{"duration", {"duration"}};
const TypedInput aspectRatioInput{"aspect-ratio", {"aspect_ratio", "ratio"}};
const TypedInput cfgScaleInput{"cfg-scale", {"cfg_scale"}};
const TypedInput generateAudioInput{"generate-audio", {"generate_audio", "generate_audio_switch"}};

std::string join(const std::vector<std::string> &parts, const char *separator) {
  std::string text;
  for (const std::string &part : parts)
    text += (text.empty() ? "" : separator) + part;
  return text;
}

/// What a value reads like in an error: short, and without the megabytes of a data URI.
std::string quoted(const std::string &value) {
  constexpr size_t longest = 60;
  if (value.size() <= longest)
    return "\"" + value + "\"";
  const GCharPtr valid(g_utf8_make_valid(value.c_str(), longest));
  return "\"" + std::string(valid.get()) + "…\"";
}

std::string plain(double value) {
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(buffer, sizeof buffer, "%.15g", value);
}

JsonNode *stringNode(const std::string &text) {
  return json_node_init_string(json_node_alloc(), text.c_str());
}

/// A copy of a value in which the text at each place in `media` is what that medium carries.
JsonNode *copyWith(const std::map<std::string, Media> &media, JsonNode *node, const std::string &place) {
  if (JSON_NODE_HOLDS_OBJECT(node)) {
    const auto copy = adopt(json_object_new());
    const auto members = json::memberNames(json_node_get_object(node));
    for (const std::string &name : members)
      json_object_set_member(copy.get(), name.c_str(),
                             copyWith(media, json_object_get_member(json_node_get_object(node), name.c_str()),
                                      place.empty() ? name : place + "." + name));
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
  return replacement == media.end() ? json_node_copy(node) : stringNode(replacement->second.carried);
}

/// Puts inputs into a body under the model's own names.
class BodyWriter {
public:
  BodyWriter(JsonObject *body, const Model *model) : body_(body), model_(model) {}

  void addParameters(JsonObject *parameters, const std::map<std::string, Media> &media) {
    for (const std::string &name : json::memberNames(parameters))
      json_object_set_member(body_, name.c_str(),
                             copyWith(media, json_object_get_member(parameters, name.c_str()), name));
    for (const auto &[place, medium] : media)
      if (!medium.identity.empty())
        identities[place] = medium.identity;
  }

  /// A medium under the model's name for it; its identity is kept for the canonical form.
  void add(const TypedInput &input, const Media &media) {
    if (media.empty())
      return;
    if (const char *name = nameFor(input); name && !media.identity.empty())
      identities[name] = media.identity;
    add(input, stringNode(media.carried));
  }

  void add(const TypedInput &input, JsonNode *value) {
    auto node = adopt(value);
    const char *name = nameFor(input);
    if (!name) {
      faults.push_back(std::string("the model takes no ") + input.property);
    } else if (json_object_has_member(body_, name)) {
      faults.push_back(std::string("parameters holds ") + name + ", which the property " + input.property +
                       " sets as well; give it once");
    } else {
      json_object_set_member(body_, name, node.release());
    }
  }

  /// A number of seconds, which a few models want as a string.
  void addDuration(unsigned seconds) {
    const char *name = nameFor(durationInput);
    const Parameter *parameter = model_ && name ? model_->parameter(name) : nullptr;
    add(durationInput, parameter && parameter->type == "string" ? stringNode(std::to_string(seconds))
                                                                : json_node_init_int(json_node_alloc(), seconds));
  }

  std::vector<std::string> faults;
  std::map<std::string, std::string> identities; ///< by place in the body

private:
  const char *nameFor(const TypedInput &input) const {
    if (!model_)
      return input.names.front();
    const auto known = std::find_if(input.names.begin(), input.names.end(),
                                    [this](const char *name) { return model_->parameter(name) != nullptr; });
    return known == input.names.end() ? nullptr : *known;
  }

  JsonObject *body_;
  const Model *model_;
};

JsonNode *doubleNode(double value) {
  return json_node_init_double(json_node_alloc(), value);
}

class FaultFinder {
public:
  std::vector<std::string> faults;

  void checkMembers(JsonObject *object, const std::vector<Parameter> &parameters, const std::string &path) {
    for (const Parameter &parameter : parameters) {
      if (parameter.required && !json_object_has_member(object, parameter.name.c_str()))
        faults.push_back(path + parameter.name + " is missing" +
                         (parameter.about.empty() ? "" : " (" + parameter.about + ")"));
    }
    for (const std::string &name : json::memberNames(object)) {
      const auto known = std::find_if(parameters.begin(), parameters.end(),
                                      [&](const Parameter &parameter) { return parameter.name == name; });
      if (known == parameters.end())
        faults.push_back("the model has no parameter " + path + name);
      else
        checkValue(json_object_get_member(object, name.c_str()), *known, path + name);
    }
  }

private:
  void checkValue(JsonNode *node, const Parameter &parameter, const std::string &path) {
    if (JSON_NODE_HOLDS_NULL(node)) {
      if (!parameter.nullable)
        faults.push_back(path + " must not be null");
      return;
    }
    if (!hasType(node, parameter.type)) {
      faults.push_back(path + " is " + quoted(json::write(node)) + ", it must be of type " + parameter.type);
      return;
    }
    if (JSON_NODE_HOLDS_OBJECT(node)) {
      if (!parameter.members.empty())
        checkMembers(json_node_get_object(node), parameter.members, path + ".");
    } else if (JSON_NODE_HOLDS_ARRAY(node)) {
      checkItems(json_node_get_array(node), parameter, path);
    } else {
      checkScalar(node, parameter, path);
    }
  }

  void checkItems(JsonArray *array, const Parameter &parameter, const std::string &path) {
    const guint items = json_array_get_length(array);
    if (parameter.minimumItems && items < *parameter.minimumItems)
      faults.push_back(path + " has " + std::to_string(items) + " items, at least " +
                       std::to_string(*parameter.minimumItems) + " are needed");
    if (parameter.maximumItems && items > *parameter.maximumItems)
      faults.push_back(path + " has " + std::to_string(items) + " items, at most " +
                       std::to_string(*parameter.maximumItems) + " are allowed");
    for (guint i = 0; i < items; ++i) {
      JsonNode *item = json_array_get_element(array, i);
      const std::string place = path + "[" + std::to_string(i) + "]";
      if (!parameter.itemType.empty() && !hasType(item, parameter.itemType))
        faults.push_back(place + " is " + quoted(json::write(item)) + ", it must be of type " + parameter.itemType);
      else if (JSON_NODE_HOLDS_OBJECT(item) && !parameter.members.empty())
        checkMembers(json_node_get_object(item), parameter.members, place + ".");
    }
  }

  void checkScalar(JsonNode *node, const Parameter &parameter, const std::string &path) {
    const std::string value = json::scalarText(node).value_or("");
    if (!parameter.allowed.empty() &&
        std::find(parameter.allowed.begin(), parameter.allowed.end(), value) == parameter.allowed.end())
      faults.push_back(path + " is " + quoted(value) + ", allowed are " + join(parameter.allowed, ", "));
    if (json_node_get_value_type(node) == G_TYPE_STRING) {
      const auto length = static_cast<unsigned>(g_utf8_strlen(value.c_str(), static_cast<gssize>(value.size())));
      if (parameter.maximumLength && length > *parameter.maximumLength)
        faults.push_back(path + " has " + std::to_string(length) + " characters, at most " +
                         std::to_string(*parameter.maximumLength) + " are allowed");
      if (parameter.minimumLength && length < *parameter.minimumLength)
        faults.push_back(path + " has " + std::to_string(length) + " characters, at least " +
                         std::to_string(*parameter.minimumLength) + " are needed");
    }
    const auto number = json::number(node);
    if (number && (*number < parameter.minimum.value_or(*number) || *number > parameter.maximum.value_or(*number)))
      faults.push_back(path + " is " + value + ", allowed is " + range(parameter));
  }

  static std::string range(const Parameter &parameter) {
    if (!parameter.maximum)
      return "at least " + plain(*parameter.minimum);
    if (!parameter.minimum)
      return "at most " + plain(*parameter.maximum);
    return plain(*parameter.minimum) + " to " + plain(*parameter.maximum);
  }

  /// The documentation's samples give integers as strings too, so a number may be spelt either way.
  static bool hasType(JsonNode *node, const std::string &types) {
    if (types.empty())
      return true;
    size_t start = 0;
    while (start <= types.size()) {
      const size_t end = std::min(types.find('|', start), types.size());
      if (hasOneType(node, std::string_view(types).substr(start, end - start)))
        return true;
      start = end + 1;
    }
    return false;
  }

  static bool hasOneType(JsonNode *node, std::string_view type) {
    if (type == "object")
      return JSON_NODE_HOLDS_OBJECT(node);
    if (type == "array")
      return JSON_NODE_HOLDS_ARRAY(node);
    if (!JSON_NODE_HOLDS_VALUE(node))
      return false;
    const GType held = json_node_get_value_type(node);
    if (type == "string")
      return held == G_TYPE_STRING;
    if (type == "boolean")
      return held == G_TYPE_BOOLEAN;
    const auto number = held == G_TYPE_BOOLEAN ? std::nullopt : json::number(node);
    if (type == "number")
      return number.has_value();
    if (type == "integer")
      return number && std::floor(*number) == *number;
    return true;
  }
};

} // namespace

std::string chosenModel(const Inputs &inputs) {
  if (!inputs.model.empty())
    return inputs.model;
  return inputs.image.empty() ? flagshipWithoutImage : flagshipWithImage;
}

std::vector<std::string> faultsOf(JsonObject *body, const std::vector<Parameter> &parameters) {
  FaultFinder finder;
  finder.checkMembers(body, parameters, "");
  return finder.faults;
}

Result<Request> composeRequest(const Inputs &inputs) {
  Request request;
  request.model = chosenModel(inputs);
  request.known = Catalogue::instance().find(request.model);
  request.prompt = inputs.prompt;

  const auto body = adopt(json_object_new());
  BodyWriter writer(body.get(), request.known);
  if (inputs.parameters)
    writer.addParameters(inputs.parameters.get(), inputs.media);
  if (json_object_has_member(body.get(), "model"))
    writer.faults.emplace_back("parameters holds model, which the property model sets; give it there");
  if (!inputs.prompt.empty())
    writer.add(promptInput, stringNode(inputs.prompt));
  if (!inputs.negativePrompt.empty())
    writer.add(negativePromptInput, stringNode(inputs.negativePrompt));
  writer.add(imageInput, inputs.image);
  writer.add(tailImageInput, inputs.tailImage);
  if (inputs.duration != 0)
    writer.addDuration(inputs.duration);
  if (!inputs.aspectRatio.empty())
    writer.add(aspectRatioInput, stringNode(inputs.aspectRatio));
  if (inputs.cfgScale)
    writer.add(cfgScaleInput, doubleNode(*inputs.cfgScale));
  if (inputs.generateAudio)
    writer.add(generateAudioInput, json_node_init_boolean(json_node_alloc(), *inputs.generateAudio));

  std::vector<std::string> faults = std::move(writer.faults);
  if (request.known && !json_object_has_member(body.get(), "model")) {
    const auto more = faultsOf(body.get(), request.known->parameters);
    faults.insert(faults.end(), more.begin(), more.end());
  } else if (json_object_get_size(body.get()) == 0) {
    faults.emplace_back("there is nothing to make a video of");
  }
  if (!faults.empty())
    return failure(ErrorKind::BadRequest, "the request does not fit the model " + request.model, join(faults, "; "),
                   "Nothing was sent and nothing was bought");

  json_object_set_string_member(body.get(), "model", request.model.c_str());
  const auto node = adopt(json_node_init_object(json_node_alloc(), body.get()));
  request.body = json::write(node.get());
  request.canonical = canonicalJson(node.get(), writer.identities);
  return request;
}

Result<GRefPtr<JsonObject>> parseParameters(std::string_view text) {
  const auto node = json::parse(text);
  if (!node)
    return failure(ErrorKind::BadRequest, "parameters can't be used", node.error(),
                   "Give a JSON object such as {\"seed\":7}, or @FILE with one in a file");
  JsonObject *object = json::objectIn(node->get());
  if (!object)
    return failure(ErrorKind::BadRequest, "parameters can't be used", "it is JSON, but not an object",
                   "Give a JSON object such as {\"seed\":7}, or @FILE with one in a file");
  return share(object);
}

} // namespace aimlvideo
