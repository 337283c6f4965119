// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/schema.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include <aimlvideo/printable.h>

#include "base/json/node.h"

namespace aimlvideo {

namespace {

constexpr unsigned deepest = 8;
constexpr size_t longestAbout = 160;

std::string textIn(JsonObject *object, const char *name) {
  return json::scalarText(json::member(object, name)).value_or("");
}

std::vector<JsonNode *> elementsOf(JsonObject *object, const char *name) {
  std::vector<JsonNode *> elements;
  JsonNode *node = json::member(object, name);
  if (node && JSON_NODE_HOLDS_ARRAY(node))
    for (guint i = 0; i < json_array_get_length(json_node_get_array(node)); ++i)
      elements.push_back(json_array_get_element(json_node_get_array(node), i));
  return elements;
}

class Reader {
public:
  explicit Reader(JsonObject *root) : root_(root) {}

  /// The schema of the body that makes a generation with the model. Null: there is none.
  JsonObject *bodySchema(const std::string &model) const {
    JsonObject *paths = objectAt(root_, "paths");
    std::vector<std::string> names = paths ? json::memberNames(paths) : std::vector<std::string>();
    // a description may hold the older paths as well
    if (const auto first = std::ranges::find(names, "/v2/video/generations"); first != names.end())
      std::rotate(names.begin(), first, first + 1);
    for (const std::string &name : names) {
      JsonObject *post = objectAt(objectAt(paths, name.c_str()), "post");
      JsonObject *content = objectAt(resolve(objectAt(post, "requestBody")), "content");
      if (JsonObject *schema = schemaFor(model, resolve(objectAt(objectAt(content, "application/json"), "schema")), 0))
        return schema;
    }
    return nullptr;
  }

  GRefPtr<JsonArray> parameters(JsonObject *schema, unsigned depth) const {
    auto list = adopt(json_array_new());
    std::set<std::string> required;
    for (JsonNode *name : elementsOf(schema, "required"))
      required.insert(json::scalarText(name).value_or(""));
    JsonObject *properties = objectAt(schema, "properties");
    if (!properties || depth > deepest)
      return list;
    for (const std::string &name : json::memberNames(properties)) {
      if (depth == 0 && name == "model")
        continue;
      const auto parameter = parameterFrom(objectAt(properties, name.c_str()), depth);
      json_object_set_string_member(parameter.get(), "name", name.c_str());
      if (required.contains(name))
        json_object_set_boolean_member(parameter.get(), "required", TRUE);
      json_array_add_object_element(list.get(), json_object_ref(parameter.get()));
    }
    return list;
  }

private:
  static JsonObject *objectAt(JsonObject *object, const char *name) {
    return json::objectIn(json::member(object, name));
  }

  /// Follows a reference to a part of the same description.
  JsonObject *resolve(JsonObject *schema) const {
    for (unsigned i = 0; schema && i < deepest; ++i) {
      const std::string reference = textIn(schema, "$ref");
      if (reference.empty())
        return schema;
      if (!reference.starts_with("#/"))
        return nullptr;
      JsonObject *at = root_;
      size_t start = 2;
      while (at && start <= reference.size()) {
        const size_t end = std::min(reference.find('/', start), reference.size());
        at = objectAt(at, reference.substr(start, end - start).c_str());
        start = end + 1;
      }
      schema = at;
    }
    return nullptr;
  }

  /// A schema itself, or the one of its alternatives that is the model's.
  JsonObject *schemaFor(const std::string &model, JsonObject *schema, unsigned depth) const {
    if (!schema || depth > deepest)
      return nullptr;
    for (const char *name : {"oneOf", "anyOf", "allOf"})
      for (JsonNode *node : elementsOf(schema, name))
        if (JsonObject *found = schemaFor(model, resolve(json::objectIn(node)), depth + 1))
          return found;
    JsonObject *properties = objectAt(schema, "properties");
    if (!properties)
      return nullptr;
    JsonObject *name = resolve(objectAt(properties, "model"));
    const auto models = elementsOf(name, "enum");
    const std::string only = textIn(name, "const");
    const bool open = models.empty() && only.empty();
    const bool named =
        only == model || std::ranges::any_of(models, [&](JsonNode *node) { return json::scalarText(node) == model; });
    return open || named ? schema : nullptr;
  }

  /// `string`, or several types with `|` between them; null is no type of its own.
  static std::string typeOf(JsonObject *schema, bool &nullable) {
    JsonNode *node = json::member(schema, "type");
    if (node && !JSON_NODE_HOLDS_ARRAY(node))
      return textIn(schema, "type");
    std::string types;
    for (JsonNode *type : elementsOf(schema, "type")) {
      const std::string name = json::scalarText(type).value_or("");
      nullable = nullable || name == "null";
      if (name != "null")
        types += (types.empty() ? "" : "|") + name;
    }
    return types;
  }

  static void copy(JsonObject *from, const char *name, JsonObject *target, const char *as) {
    if (JsonNode *node = json::member(from, name))
      json_object_set_member(target, as, json_node_copy(node));
  }

  static void addWords(JsonObject *schema, JsonObject *parameter) {
    std::string about = printable(textIn(schema, "description"));
    if (const size_t end = about.find(". "); end != std::string::npos)
      about.resize(end);
    if (about.size() > longestAbout) {
      const GCharPtr valid(g_utf8_make_valid(about.c_str(), longestAbout));
      about = std::string(valid.get()) + "…";
    }
    if (!about.empty())
      json_object_set_string_member(parameter, "about", about.c_str());
  }

  GRefPtr<JsonObject> parameterFrom(JsonObject *given, unsigned depth) const {
    auto parameter = adopt(json_object_new());
    JsonObject *schema = resolve(given);
    if (!schema || depth > deepest)
      return parameter;
    bool nullable = json::isTrue(json::member(schema, "nullable"));
    std::vector<JsonObject *> alternatives;
    for (const char *name : {"anyOf", "oneOf"})
      for (JsonNode *node : elementsOf(schema, name)) {
        JsonObject *alternative = resolve(json::objectIn(node));
        const bool says = alternative && (json::member(alternative, "type") || json::member(alternative, "enum") ||
                                          json::member(alternative, "properties"));
        if (says && textIn(alternative, "type") != "null")
          alternatives.push_back(alternative);
        else
          nullable = true;
      }
    if (alternatives.size() == 1)
      parameter = parameterFrom(alternatives.front(), depth + 1);
    else if (alternatives.size() > 1)
      addAlternatives(alternatives, parameter.get(), depth);
    else
      addFacts(schema, parameter.get(), nullable, depth);
    if (nullable)
      json_object_set_boolean_member(parameter.get(), "nullable", TRUE);
    copy(schema, "default", parameter.get(), "default");
    addWords(schema, parameter.get());
    return parameter;
  }

  void addAlternatives(const std::vector<JsonObject *> &alternatives, JsonObject *parameter, unsigned depth) const {
    const auto list = adopt(json_array_new());
    std::string types;
    for (JsonObject *alternative : alternatives) {
      const auto facts = parameterFrom(alternative, depth + 1);
      if (const std::string type = textIn(facts.get(), "type");
          !type.empty() && ("|" + types + "|").find("|" + type + "|") == std::string::npos)
        types += (types.empty() ? "" : "|") + type;
      json_array_add_object_element(list.get(), json_object_ref(facts.get()));
    }
    json_object_set_string_member(parameter, "type", types.c_str());
    json_object_set_array_member(parameter, "alternatives", json_array_ref(list.get()));
  }

  void addFacts(JsonObject *schema, JsonObject *parameter, bool &nullable, unsigned depth) const {
    const std::string type = typeOf(schema, nullable);
    if (!type.empty())
      json_object_set_string_member(parameter, "type", type.c_str());
    static constexpr std::pair<const char *, const char *> facts[] = {
        {"format", "format"},        {"enum", "enum"},
        {"minimum", "min"},          {"maximum", "max"},
        {"minLength", "min_length"}, {"maxLength", "max_length"},
        {"minItems", "min_items"},   {"maxItems", "max_items"}};
    for (const auto &[name, as] : facts)
      copy(schema, name, parameter, as);
    if (JsonNode *only = json::member(schema, "const")) {
      const auto list = adopt(json_array_new());
      json_array_add_element(list.get(), json_node_copy(only));
      json_object_set_array_member(parameter, "enum", json_array_ref(list.get()));
    }
    if (objectAt(schema, "properties"))
      json_object_set_array_member(parameter, "properties", json_array_ref(parameters(schema, depth + 1).get()));
    JsonObject *items = resolve(objectAt(schema, "items"));
    if (!items)
      return;
    bool ignored = false;
    if (const std::string itemType = typeOf(items, ignored); !itemType.empty())
      json_object_set_string_member(parameter, "items", itemType.c_str());
    copy(items, "format", parameter, "items_format");
    if (objectAt(items, "properties"))
      json_object_set_array_member(parameter, "item_properties", json_array_ref(parameters(items, depth + 1).get()));
  }

  JsonObject *root_;
};

bool has(const std::string &name, const char *part) {
  return name.find(part) != std::string::npos;
}

bool isUri(JsonObject *parameter) {
  if (textIn(parameter, "format") == "uri" || textIn(parameter, "items_format") == "uri")
    return true;
  const auto alternatives = elementsOf(parameter, "alternatives");
  return std::ranges::any_of(alternatives, [](JsonNode *node) { return isUri(json::objectIn(node)); });
}

/// What a parameter carries, by its name; empty: nothing that is an input.
std::string mediumOf(JsonObject *parameter, const std::string &name) {
  if (name == "prompt" || name == "multi_prompt")
    return "text";
  if (!isUri(parameter))
    return "";
  if (has(name, "video") || has(name, "audio"))
    return has(name, "video") ? "video" : "audio";
  return has(name, "image") || has(name, "frame") || has(name, "mask") ? "image" : "";
}

} // namespace

tl::expected<GRefPtr<JsonObject>, std::string> factsFromSchema(std::string_view openApi, const std::string &model) {
  const auto root = json::parse(openApi);
  if (!root)
    return tl::unexpected(root.error());
  const Reader reader(json::objectIn(root->get()));
  JsonObject *schema = reader.bodySchema(model);
  if (!schema)
    return tl::unexpected(std::string("it describes no request for this model"));
  auto facts = adopt(json_object_new());
  const auto parameters = reader.parameters(schema, 0);
  std::map<std::string, GRefPtr<JsonArray>> inputs;
  bool needsImage = false;
  for (guint i = 0; i < json_array_get_length(parameters.get()); ++i) {
    JsonObject *parameter = json_array_get_object_element(parameters.get(), i);
    const std::string name = textIn(parameter, "name");
    const std::string medium = mediumOf(parameter, name);
    if (medium.empty())
      continue;
    needsImage = needsImage || (medium == "image" && json::isTrue(json::member(parameter, "required")));
    auto &names = inputs[medium];
    if (!names)
      names = adopt(json_array_new());
    json_array_add_string_element(names.get(), name.c_str());
  }
  const auto inputsObject = adopt(json_object_new());
  for (const auto &[medium, names] : inputs)
    json_object_set_array_member(inputsObject.get(), medium.c_str(), json_array_ref(names.get()));
  const char *kind = needsImage                 ? "image-to-video"
                     : inputs.contains("image") ? "text-or-image-to-video"
                     : inputs.contains("video") ? "video-to-video"
                                                : "text-to-video";
  json_object_set_string_member(facts.get(), "id", model.c_str());
  json_object_set_string_member(facts.get(), "kind", kind);
  json_object_set_object_member(facts.get(), "inputs", json_object_ref(inputsObject.get()));
  json_object_set_array_member(facts.get(), "parameters", json_array_ref(parameters.get()));
  return facts;
}

} // namespace aimlvideo
