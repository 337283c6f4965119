// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/schemas.h"

namespace aimlvideo::emulator {

namespace {

Json objectSchema(const std::vector<Parameter> &parameters);

Json textArray(const std::vector<std::string> &texts) {
  Json array = Json::array();
  for (const std::string &text : texts)
    array.add(text);
  return array;
}

Json parameterSchema(const Parameter &parameter);

void addType(Json &schema, const Parameter &parameter) {
  if (!parameter.alternatives.empty()) {
    Json alternatives = Json::array();
    for (const Parameter &alternative : parameter.alternatives)
      alternatives.add(parameterSchema(alternative));
    schema.set("anyOf", alternatives);
  } else if (parameter.types.size() == 1) {
    schema.set("type", parameter.types.front());
  } else if (!parameter.types.empty()) {
    schema.set("type", textArray(parameter.types));
  }
}

void addBounds(Json &schema, const Parameter &parameter) {
  for (auto [name, bound] : {std::pair("minimum", parameter.min), {"maximum", parameter.max}})
    if (bound)
      schema.set(name, *bound);
  for (auto [name, count] : {std::pair("minLength", parameter.minLength),
                             {"maxLength", parameter.maxLength},
                             {"minItems", parameter.minItems},
                             {"maxItems", parameter.maxItems}})
    if (count)
      schema.set(name, *count);
}

void addParts(Json &schema, const Parameter &parameter) {
  if (!parameter.properties.empty()) {
    const Json inner = objectSchema(parameter.properties);
    schema.set("properties", inner["properties"]).set("required", inner["required"]);
  }
  if (!parameter.itemProperties.empty()) {
    schema.set("items", objectSchema(parameter.itemProperties));
  } else if (!parameter.itemType.empty()) {
    Json items = Json::object({{"type", parameter.itemType}});
    if (!parameter.itemFormat.empty())
      items.set("format", parameter.itemFormat);
    schema.set("items", items);
  }
}

Json parameterSchema(const Parameter &parameter) {
  Json schema = Json::object();
  addType(schema, parameter);
  if (!parameter.format.empty())
    schema.set("format", parameter.format);
  if (parameter.nullable)
    schema.set("nullable", true);
  if (!parameter.choices.empty())
    schema.set("enum", Json::array(parameter.choices));
  if (parameter.fallback.exists())
    schema.set("default", parameter.fallback);
  addBounds(schema, parameter);
  addParts(schema, parameter);
  return schema;
}

Json objectSchema(const std::vector<Parameter> &parameters) {
  Json properties = Json::object(), required = Json::array();
  for (const Parameter &parameter : parameters) {
    properties.set(parameter.name, parameterSchema(parameter));
    if (parameter.required)
      required.add(parameter.name);
  }
  return Json::object({{"type", "object"}, {"properties", properties}, {"required", required}});
}

} // namespace

Json schemaJson(const Model &model) {
  Json schema = objectSchema(model.parameters);
  schema["properties"].set("model", Json::object({{"type", "string"}, {"enum", Json::array({model.id})}}));
  schema["required"].add("model");
  schema.set("title", model.id);
  const Json content = Json::object({{"application/json", Json::object({{"schema", schema}})}});
  const Json post = Json::object({{"operationId", "_v2_video_generations"},
                                  {"requestBody", Json::object({{"required", true}, {"content", content}})}});
  return Json::object({{"openapi", "3.0.0"},
                       {"info", Json::object({{"title", "AIML API"}, {"version", "1.0.0"}})},
                       {"paths", Json::object({{model.legacyOnly ? model.legacyPath.c_str() : "/v2/video/generations",
                                                Json::object({{"post", post}})}})}});
}

} // namespace aimlvideo::emulator
