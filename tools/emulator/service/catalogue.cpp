// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/catalogue.h"

#include <algorithm>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "emulator/wire/bytes.h"

namespace aimlvideo::emulator {

namespace {

constexpr char resourcePath[] = "/com/aimlapi/emulator/models.json";

std::optional<double> optionalNumber(const Json &value) {
  return value.isNumber() ? std::optional(value.number()) : std::nullopt;
}

std::optional<size_t> optionalSize(const Json &value) {
  return value.isNumber() ? std::optional(static_cast<size_t>(value.number())) : std::nullopt;
}

std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);)
    parts.push_back(part);
  return parts;
}

Parameter readParameter(const Json &json);

std::vector<Parameter> readParameters(const Json &json) {
  std::vector<Parameter> parameters;
  for (const Json &element : json.elements())
    parameters.push_back(readParameter(element));
  return parameters;
}

Parameter readParameter(const Json &json) {
  Parameter parameter;
  parameter.name = json["name"].string();
  parameter.types = split(json["type"].string(), '|');
  parameter.required = json["required"].boolean();
  parameter.nullable = json["nullable"].boolean();
  parameter.format = json["format"].string();
  parameter.choices = json["enum"].elements();
  parameter.fallback = json["default"];
  parameter.min = optionalNumber(json["min"]);
  parameter.max = optionalNumber(json["max"]);
  parameter.minLength = optionalSize(json["min_length"]);
  parameter.maxLength = optionalSize(json["max_length"]);
  parameter.itemType = json["items"].string();
  parameter.itemFormat = json["items_format"].string();
  parameter.minItems = optionalSize(json["min_items"]);
  parameter.maxItems = optionalSize(json["max_items"]);
  parameter.properties = readParameters(json["properties"]);
  parameter.itemProperties = readParameters(json["item_properties"]);
  parameter.alternatives = readParameters(json["alternatives"]);
  return parameter;
}

SampleRun readSample(const Json &json) {
  SampleRun sample;
  sample.seconds = json["seconds"].number();
  sample.width = static_cast<int>(json["width"].number());
  sample.height = static_cast<int>(json["height"].number());
  if (json["sound"].isBoolean())
    sample.sound = json["sound"].boolean();
  return sample;
}

Model readModel(const Json &json) {
  Model model;
  model.id = json["id"].string();
  for (const Json &alias : json["aliases"].elements())
    model.aliases.push_back(alias.string());
  model.vendor = json["vendor"].string();
  model.kind = json["kind"].string();
  for (const std::string &input : json["inputs"].names())
    for (const Json &name : json["inputs"][input].elements())
      model.inputs[input].push_back(name.string());
  model.legacyPath = json["legacy_path"].string();
  model.legacyOnly = json["legacy_only"].boolean();
  model.videoMayBeArray = json["video_may_be_array"].boolean();
  model.sample = readSample(json["sample"]);
  model.rules = json["rules"].elements();
  model.parameters = readParameters(json["parameters"]);
  model.legacyParameters = readParameters(json["legacy_parameters"]);
  return model;
}

} // namespace

const Parameter *Model::parameter(std::string_view name) const {
  const auto found = std::ranges::find(parameters, name, &Parameter::name);
  return found == parameters.end() ? nullptr : &*found;
}

Catalogue::Catalogue() {
  GErrorSlot error;
  const auto data = adopt(g_resources_lookup_data(resourcePath, G_RESOURCE_LOOKUP_FLAGS_NONE, &error));
  if (!data)
    throw std::runtime_error(error.message());
  const auto json = Json::parse(Bytes(data).view());
  if (!json)
    throw std::runtime_error("the catalogue of models: " + json.error());
  for (const Json &element : (*json)["models"].elements())
    models_.push_back(readModel(element));
  for (size_t i = 0; i < models_.size(); ++i)
    addNames(i);
}

void Catalogue::addNames(size_t index) {
  byName_.emplace(models_[index].id, index);
  for (const std::string &alias : models_[index].aliases)
    byName_.emplace(alias, index);
}

bool Catalogue::add(const Json &overlay) {
  if (overlay["version"].number() != 1 || !overlay["models"].isArray())
    return false;
  for (const Json &element : overlay["models"].elements()) {
    Model found = readModel(element);
    const auto known = byName_.find(found.id);
    if (known == byName_.end() && !found.id.empty() && found.legacyPath.empty()) {
      models_.push_back(std::move(found));
      addNames(models_.size() - 1);
    } else if (known != byName_.end()) {
      Model &model = models_[known->second];
      for (Parameter &parameter : found.parameters)
        if (!parameter.required && !model.parameter(parameter.name))
          model.parameters.push_back(std::move(parameter));
      std::ranges::copy(found.aliases, std::back_inserter(model.aliases));
      addNames(known->second);
    }
  }
  return true;
}

const Model *Catalogue::invent(const std::string &name) {
  Model &model = invented_[name];
  model.id = name;
  model.vendor = name.substr(0, name.find('/'));
  model.kind = "text-or-image-to-video";
  model.isInvented = true;
  model.inputs = {{"text", {"prompt"}},
                  {"image", {"image_url", "first_frame_image", "image_urls", "last_image_url", "tail_image_url"}},
                  {"video", {"video_url", "video_urls"}},
                  {"audio", {"audio_url", "audio_urls"}}};
  return &model;
}

const Model *Catalogue::find(std::string_view name) const {
  const auto found = byName_.find(name);
  return found == byName_.end() ? nullptr : &models_[found->second];
}

std::string legacyPathOf(const Model &model) {
  static const std::map<std::string, std::string> vendors = {
      {"Kling AI", "kling"},  {"Alibaba Cloud", "alibaba"}, {"ByteDance", "bytedance"}, {"Google", "google"},
      {"MiniMax", "minimax"}, {"PixVerse", "pixverse"},     {"Runway", "runway"}};
  if (!model.legacyPath.empty())
    return model.legacyPath;
  const auto found = vendors.find(model.vendor);
  return found == vendors.end() ? std::string() : "/v2/generate/video/" + found->second + "/generation";
}

} // namespace aimlvideo::emulator
