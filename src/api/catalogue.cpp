// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/catalogue.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <set>

#include "api/overlay.h"
#include "base/json/node.h"
#include "base/mutex.h"
extern "C" {
#include "models_resource.h" // generated, without its own extern "C"
}

namespace aimlvideo {

namespace {

std::string text(JsonObject *object, const char *name) {
  return json::scalarText(json::member(object, name)).value_or("");
}

bool flag(JsonObject *object, const char *name) {
  return json::isTrue(json::member(object, name));
}

std::optional<unsigned> count(JsonObject *object, const char *name) {
  const auto value = json::number(json::member(object, name));
  return value && *value >= 0 && *value <= G_MAXUINT ? std::optional(static_cast<unsigned>(*value)) : std::nullopt;
}

/// Calls `visit` with each element of an array member; does nothing where there is none.
template <typename Visit>
void forEach(JsonObject *object, const char *name, Visit visit) {
  JsonNode *node = json::member(object, name);
  if (!node || !JSON_NODE_HOLDS_ARRAY(node))
    return;
  JsonArray *array = json_node_get_array(node);
  for (guint i = 0; i < json_array_get_length(array); ++i)
    visit(json_array_get_element(array, i));
}

std::vector<Parameter> readParameters(JsonObject *object, const char *name);

Parameter readParameter(JsonObject *fact) {
  Parameter parameter;
  parameter.name = text(fact, "name");
  parameter.type = text(fact, "type");
  parameter.required = flag(fact, "required");
  parameter.nullable = flag(fact, "nullable");
  parameter.isUri = text(fact, "format") == "uri";
  parameter.isUuid = text(fact, "format") == "uuid";
  forEach(fact, "enum", [&](JsonNode *value) {
    if (const auto spelling = json::scalarText(value))
      parameter.allowed.push_back(*spelling);
  });
  parameter.minimum = json::number(json::member(fact, "min"));
  parameter.maximum = json::number(json::member(fact, "max"));
  parameter.minimumLength = count(fact, "min_length");
  parameter.maximumLength = count(fact, "max_length");
  parameter.minimumItems = count(fact, "min_items");
  parameter.maximumItems = count(fact, "max_items");
  parameter.itemType = text(fact, "items");
  parameter.itemIsUri = text(fact, "items_format") == "uri";
  parameter.members = readParameters(fact, "properties");
  if (parameter.members.empty())
    parameter.members = readParameters(fact, "item_properties");
  parameter.alternatives = readParameters(fact, "alternatives");
  parameter.fallback = text(fact, "default");
  parameter.about = text(fact, "about");
  return parameter;
}

std::vector<Parameter> readParameters(JsonObject *object, const char *name) {
  std::vector<Parameter> parameters;
  forEach(object, name, [&](JsonNode *node) {
    if (JsonObject *fact = json::objectIn(node))
      parameters.push_back(readParameter(fact));
  });
  return parameters;
}

std::vector<std::string> texts(JsonObject *object, const char *name) {
  std::vector<std::string> list;
  forEach(object, name, [&](JsonNode *value) { list.push_back(json::scalarText(value).value_or("")); });
  return list;
}

std::optional<Rule> readRule(JsonObject *fact) {
  static constexpr std::pair<std::string_view, Rule::Kind> kinds[] = {{"exactly-one", Rule::Kind::ExactlyOne},
                                                                      {"at-most-once", Rule::Kind::AtMostOnce},
                                                                      {"needs", Rule::Kind::Needs},
                                                                      {"pair", Rule::Kind::Pair}};
  const auto kind = std::ranges::find(kinds, text(fact, "rule"), &std::pair<std::string_view, Rule::Kind>::first);
  if (kind == std::end(kinds))
    return {};
  Rule rule;
  rule.kind = kind->second;
  rule.parameters = texts(fact, "parameters");
  if (const std::string one = text(fact, "parameter"); !one.empty())
    rule.parameters.push_back(one);
  rule.other = text(fact, "other");
  rule.values = texts(fact, "values");
  if (const auto one = json::scalarText(json::member(fact, "value")))
    rule.values.push_back(*one);
  return rule;
}

ImageLimits readImageLimits(JsonObject *fact) {
  ImageLimits limits;
  if (!fact)
    return limits;
  limits.types = texts(fact, "types");
  if (const auto bytes = json::number(json::member(fact, "max_bytes")))
    limits.maximumBytes = static_cast<uint64_t>(*bytes);
  limits.minimumShortSide = count(fact, "min_short_side");
  limits.maximumLongSide = count(fact, "max_long_side");
  limits.minimumAspect = json::number(json::member(fact, "min_aspect"));
  limits.maximumAspect = json::number(json::member(fact, "max_aspect"));
  limits.advisedShortSide = count(fact, "advised_short_side");
  return limits;
}

Model readModel(JsonObject *fact) {
  Model model;
  model.id = text(fact, "id");
  model.aliases = texts(fact, "aliases");
  model.vendor = text(fact, "vendor");
  model.kind = text(fact, "kind");
  if (JsonObject *inputs = json::objectIn(json::member(fact, "inputs")))
    for (const std::string &medium : json::memberNames(inputs))
      model.inputs[medium] = texts(inputs, medium.c_str());
  model.legacyPath = text(fact, "legacy_path");
  model.legacyOnly = flag(fact, "legacy_only");
  if (JsonObject *sample = json::objectIn(json::member(fact, "sample"))) {
    model.sample.seconds = count(sample, "seconds").value_or(0);
    model.sample.width = count(sample, "width").value_or(0);
    model.sample.height = count(sample, "height").value_or(0);
    if (json::member(sample, "sound"))
      model.sample.sound = flag(sample, "sound");
  }
  forEach(fact, "rules", [&](JsonNode *node) {
    if (const auto rule = readRule(json::objectIn(node)))
      model.rules.push_back(*rule);
  });
  model.imageLimits = readImageLimits(json::objectIn(json::member(fact, "image_limits")));
  model.parameters = readParameters(fact, "parameters");
  model.legacyParameters = readParameters(fact, "legacy_parameters");
  return model;
}

/// A part of the data that is compiled in. Null: there is none of this name.
GRefPtr<JsonNode> factsAt(const std::string &name) {
  const auto data = adopt(g_resource_lookup_data(aimlvideo_models_get_resource(), ("/aimlvideo/" + name).c_str(),
                                                 G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr));
  if (!data)
    return nullptr;
  gsize size = 0;
  const auto *bytes = static_cast<const char *>(g_bytes_get_data(data.get(), &size));
  const auto root = json::parse({bytes, size});
  g_assert(root.has_value()); // compiled in and read by a test
  return *root;
}

/// Of this user, read once.
const Overlay &overlay() {
  static const auto *read = new Overlay(loadOverlay(overlayFile()));
  return *read;
}

/// A known model's facts with what a refresh has added.
GRefPtr<JsonNode> extended(JsonNode *facts) {
  JsonObject *known = json::objectIn(facts);
  const auto addition = overlay().models.find(text(known, "id"));
  return addition == overlay().models.end() ? share(facts)
                                            : withAdditions(known, json::objectIn(addition->second.get()));
}

/// A model's facts by one of its names. Null: neither the catalogue nor a refresh has it.
GRefPtr<JsonNode> factsFor(const std::string &name) {
  if (const auto facts = factsAt("model/" + name))
    return extended(facts.get());
  const auto alias = overlay().aliases.find(name);
  const std::string &id = alias == overlay().aliases.end() ? name : alias->second;
  if (const auto facts = id == name ? nullptr : factsAt("model/" + id))
    return extended(facts.get());
  const auto added = overlay().models.find(id);
  return added == overlay().models.end() ? nullptr : added->second;
}

} // namespace

bool ImageLimits::any() const {
  return !types.empty() || maximumBytes || minimumShortSide || maximumLongSide || minimumAspect || maximumAspect ||
         advisedShortSide;
}

const Parameter *Model::parameter(std::string_view name) const {
  for (const Parameter &parameter : parameters)
    if (parameter.name == name)
      return &parameter;
  return nullptr;
}

const std::vector<Parameter> &Model::parametersOn(EndpointFamily family) const {
  return family == EndpointFamily::Legacy && !legacyParameters.empty() ? legacyParameters : parameters;
}

const Catalogue &Catalogue::instance() {
  static const auto *catalogue = new Catalogue; // outlives every worker, also those still running at exit
  return *catalogue;
}

GRefPtr<JsonNode> catalogueFacts() {
  const auto compiledIn = factsAt("models.json");
  if (overlay().empty())
    return compiledIn;
  std::map<std::string, GRefPtr<JsonNode>> models = {overlay().models.begin(), overlay().models.end()};
  forEach(json::objectIn(compiledIn.get()), "models",
          [&](JsonNode *node) { models[text(json::objectIn(node), "id")] = extended(node); });
  const auto list = adopt(json_array_new());
  for (const auto &[id, model] : models)
    json_array_add_element(list.get(), json_node_copy(model.get()));
  const auto root = adopt(json_object_new());
  json_object_set_int_member(root.get(), "version", 1);
  json_object_set_array_member(root.get(), "models", json_array_ref(list.get()));
  return adopt(json_node_init_object(json_node_alloc(), root.get()));
}

std::string Catalogue::json() {
  return json::write(catalogueFacts().get());
}

GRefPtr<JsonNode> compiledInModel(const std::string &name) {
  return factsAt("model/" + name);
}

const std::string &Catalogue::overlayProblem() {
  return overlay().problem;
}

const std::vector<Model> &Catalogue::models() const {
  static const auto *models = [] {
    auto *all = new std::vector<Model>;
    const auto root = catalogueFacts();
    forEach(json::objectIn(root.get()), "models",
            [all](JsonNode *node) { all->push_back(readModel(json::objectIn(node))); });
    return all;
  }();
  return *models;
}

namespace {

/// Adds the names below a folder of the resource in which the models lie by their names, such as `klingai/`.
void addNames(const std::string &folder, std::set<std::string> &names) {
  const GStrvPtr entries(g_resource_enumerate_children(
      aimlvideo_models_get_resource(), ("/aimlvideo/model/" + folder).c_str(), G_RESOURCE_LOOKUP_FLAGS_NONE, nullptr));
  for (char **entry = entries.get(); entry && *entry; ++entry)
    if (g_str_has_suffix(*entry, "/"))
      addNames(folder + *entry, names);
    else
      names.insert(folder + *entry);
}

} // namespace

std::vector<std::string> Catalogue::names() const {
  std::set<std::string> names;
  addNames("", names);
  for (const auto &[id, model] : overlay().models)
    names.insert(id);
  for (const auto &[alias, id] : overlay().aliases)
    names.insert(alias);
  return {names.begin(), names.end()};
}

bool Catalogue::isUnlisted(std::string_view id) const {
  const auto &listed = overlay().listed;
  if (listed.empty() || listed.contains(id))
    return false;
  const Model *model = find(id);
  return !model || (!listed.contains(model->id) &&
                    std::ranges::none_of(model->aliases, [&](const auto &alias) { return listed.contains(alias); }));
}

std::vector<std::string> Catalogue::listedNames() {
  return {overlay().listed.begin(), overlay().listed.end()};
}

namespace {

/// The models that were asked for so far. They live as long as the process.
struct Found {
  Mutex mutex;
  std::map<std::string, std::shared_ptr<const Model>, std::less<>> models GUARDED_BY(mutex); ///< by id and alias
};

} // namespace

const Model *Catalogue::find(std::string_view id) const {
  static auto &found = *new Found; // outlives every worker, also those still running at exit
  const Lock lock(found.mutex);
  if (const auto known = found.models.find(id); known != found.models.end())
    return known->second.get();
  const auto root = factsFor(std::string(id));
  if (!root)
    return nullptr;
  Model model = readModel(json::objectIn(root.get()));
  // the names of resources are compared less strictly
  if (id != model.id && std::ranges::find(model.aliases, id) == model.aliases.end())
    return nullptr;
  // one object of each model, whatever it was called by
  const std::string key = model.id;
  const auto &shared = found.models.try_emplace(key, std::make_shared<const Model>(std::move(model))).first->second;
  return found.models.try_emplace(std::string(id), shared).first->second.get();
}

} // namespace aimlvideo
