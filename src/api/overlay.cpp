// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/overlay.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <aimlvideo/printable.h>

#include "api/typed_inputs.h"
#include "base/json/node.h"

namespace aimlvideo {

namespace {

// far above what the service has
constexpr size_t largestFile = 16 << 20;
constexpr size_t mostModels = 5000;
constexpr size_t mostNames = 50'000;
constexpr size_t mostParameters = 300;
constexpr size_t mostChoices = 1000;
constexpr unsigned deepest = 6;
constexpr double largestCount = 1e9;

bool isName(std::string_view name, const char *more, size_t longest) {
  return !name.empty() && name.size() <= longest && std::ranges::all_of(name, [more](char c) {
    return g_ascii_isalnum(c) || (c != '\0' && std::strchr(more, c));
  });
}

std::string textIn(JsonObject *object, const char *name) {
  JsonNode *node = json::member(object, name);
  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
             ? json_node_get_string(node)
             : "";
}

/// One or several of the types that values have, with `|` between them.
bool isType(const std::string &types) {
  static constexpr std::array known{"string", "integer", "number", "boolean", "array", "object"};
  size_t start = 0;
  while (start <= types.size()) {
    const size_t end = std::min(types.find('|', start), types.size());
    if (std::ranges::find(known, std::string_view(types).substr(start, end - start)) == known.end())
      return false;
    start = end + 1;
  }
  return true;
}

template <typename Visit>
void forEach(JsonObject *object, const char *name, size_t most, Visit visit) {
  JsonNode *node = json::member(object, name);
  if (!node || !JSON_NODE_HOLDS_ARRAY(node))
    return;
  JsonArray *array = json_node_get_array(node);
  const guint length = json_array_get_length(array);
  for (guint i = 0; i < length && i < most; ++i)
    visit(json_array_get_element(array, i));
}

void setText(JsonObject *target, const char *name, const std::string &text) {
  if (!text.empty())
    json_object_set_string_member(target, name, text.c_str());
}

/// Words for people, from a stranger.
void copyWords(JsonObject *from, JsonObject *target, const char *name, size_t longest) {
  std::string text = printable(textIn(from, name));
  if (text.size() > longest) {
    const GCharPtr valid(g_utf8_make_valid(text.c_str(), static_cast<gssize>(longest)));
    text = valid.get();
  }
  setText(target, name, text);
}

void copyNumber(JsonObject *from, JsonObject *target, const char *name) {
  if (const auto number = json::number(json::member(from, name)))
    json_object_set_double_member(target, name, *number);
}

void copyCount(JsonObject *from, JsonObject *target, const char *name) {
  const auto number = json::number(json::member(from, name));
  if (number && *number >= 0 && *number <= largestCount && std::floor(*number) == *number)
    json_object_set_int_member(target, name, static_cast<gint64>(*number));
}

void copyFlag(JsonObject *from, JsonObject *target, const char *name) {
  if (json::isTrue(json::member(from, name)))
    json_object_set_boolean_member(target, name, TRUE);
}

bool isPlainScalar(JsonNode *node) {
  const auto text = json::scalarText(node);
  return text && text->size() <= 200 && printable(*text) == *text;
}

/// Null: it makes no sense.
GRefPtr<JsonObject> soundParameter(JsonObject *fact, bool named, unsigned depth);

bool copyParameters(JsonObject *from, JsonObject *target, const char *name, bool named, unsigned depth) {
  if (!json::member(from, name))
    return true;
  const auto list = adopt(json_array_new());
  bool sound = depth < deepest;
  forEach(from, name, mostParameters, [&](JsonNode *node) {
    JsonObject *fact = sound ? json::objectIn(node) : nullptr;
    const auto parameter = fact ? soundParameter(fact, named, depth + 1) : nullptr;
    sound = sound && parameter;
    if (parameter)
      json_array_add_object_element(list.get(), json_object_ref(parameter.get()));
  });
  if (sound)
    json_object_set_array_member(target, name, json_array_ref(list.get()));
  return sound;
}

GRefPtr<JsonObject> soundParameter(JsonObject *fact, bool named, unsigned depth) {
  auto parameter = adopt(json_object_new());
  const std::string name = textIn(fact, "name");
  if (named && (!isName(name, "_-.", 100) || name == "model"))
    return nullptr;
  if (named)
    setText(parameter.get(), "name", name);
  for (const char *type : {"type", "items"}) {
    const std::string text = textIn(fact, type);
    if (!text.empty() && !isType(text))
      return nullptr;
    setText(parameter.get(), type, text);
  }
  for (const char *format : {"format", "items_format"})
    if (const std::string text = textIn(fact, format); text == "uri" || text == "uuid")
      setText(parameter.get(), format, text);
  copyFlag(fact, parameter.get(), "required");
  copyFlag(fact, parameter.get(), "nullable");
  for (const char *bound : {"min", "max"})
    copyNumber(fact, parameter.get(), bound);
  for (const char *count : {"min_length", "max_length", "min_items", "max_items"})
    copyCount(fact, parameter.get(), count);
  if (JsonNode *node = json::member(fact, "default"); node && isPlainScalar(node))
    json_object_set_member(parameter.get(), "default", json_node_copy(node));
  if (json::member(fact, "enum")) {
    const auto choices = adopt(json_array_new());
    bool plain = true;
    forEach(fact, "enum", mostChoices, [&](JsonNode *node) {
      plain = plain && isPlainScalar(node);
      if (plain)
        json_array_add_element(choices.get(), json_node_copy(node));
    });
    if (!plain)
      return nullptr;
    json_object_set_array_member(parameter.get(), "enum", json_array_ref(choices.get()));
  }
  for (const char *members : {"properties", "item_properties"})
    if (!copyParameters(fact, parameter.get(), members, true, depth))
      return nullptr;
  if (!copyParameters(fact, parameter.get(), "alternatives", false, depth))
    return nullptr;
  copyWords(fact, parameter.get(), "about", 300);
  return parameter;
}

GRefPtr<JsonObject> soundModel(JsonObject *fact) {
  auto model = adopt(json_object_new());
  const std::string id = textIn(fact, "id");
  if (!isModelName(id))
    return nullptr;
  setText(model.get(), "id", id);
  const auto aliases = adopt(json_array_new());
  forEach(fact, "aliases", 100, [&](JsonNode *node) {
    if (const auto alias = json::scalarText(node); alias && isModelName(*alias))
      json_array_add_string_element(aliases.get(), alias->c_str());
  });
  json_object_set_array_member(model.get(), "aliases", json_array_ref(aliases.get()));
  for (const char *words : {"vendor", "kind"})
    copyWords(fact, model.get(), words, 100);
  const auto inputs = adopt(json_object_new());
  for (const char *medium : {"text", "image", "video", "audio"}) {
    const auto names = adopt(json_array_new());
    forEach(json::objectIn(json::member(fact, "inputs")), medium, mostParameters, [&](JsonNode *node) {
      if (const auto name = json::scalarText(node); name && isName(*name, "_-.", 100))
        json_array_add_string_element(names.get(), name->c_str());
    });
    if (json_array_get_length(names.get()) > 0)
      json_object_set_array_member(inputs.get(), medium, json_array_ref(names.get()));
  }
  json_object_set_object_member(model.get(), "inputs", json_object_ref(inputs.get()));
  copyFlag(fact, model.get(), "video_may_be_array");
  return copyParameters(fact, model.get(), "parameters", true, 0) ? model : nullptr;
}

std::vector<std::string> namesIn(JsonObject *model, const char *list) {
  std::vector<std::string> names;
  forEach(model, list, mostParameters, [&](JsonNode *node) { names.push_back(textIn(json::objectIn(node), "name")); });
  return names;
}

Overlay ignored(const std::string &why) {
  Overlay overlay;
  overlay.problem = "the refreshed catalogue " + overlayFile() + " is ignored: " + why +
                    "; 'aimlvideo models --refresh' makes a new one";
  return overlay;
}

struct Closer {
  void operator()(const int *descriptor) const { close(*descriptor); }
};

} // namespace

bool isModelName(std::string_view name) {
  return isName(name, "._:/@+-#", 200);
}

Overlay parseOverlay(std::string_view text) {
  Overlay overlay;
  if (text.empty())
    return overlay;
  const auto root = json::parse(text);
  if (!root)
    return ignored(root.error());
  JsonObject *object = json::objectIn(root->get());
  if (json::number(json::member(object, "version")) != 1.0)
    return ignored("its version is unknown");
  size_t left = 0;
  forEach(object, "models", mostModels, [&](JsonNode *node) {
    JsonObject *fact = json::objectIn(node);
    const auto model = fact ? soundModel(fact) : nullptr;
    if (!model) {
      ++left;
      return;
    }
    const std::string id = textIn(model.get(), "id");
    forEach(model.get(), "aliases", 100,
            [&](JsonNode *alias) { overlay.aliases.try_emplace(json_node_get_string(alias), id); });
    overlay.models.try_emplace(id, adopt(json_node_init_object(json_node_alloc(), model.get())));
  });
  forEach(object, "listed", mostNames, [&](JsonNode *node) {
    if (const auto name = json::scalarText(node); name && isModelName(*name))
      overlay.listed.insert(*name);
  });
  if (left > 0)
    overlay.problem = std::to_string(left) + " entries of the refreshed catalogue " + overlayFile() +
                      " make no sense and are ignored; 'aimlvideo models --refresh' makes a new one";
  return overlay;
}

GRefPtr<JsonNode> withAdditions(JsonObject *known, JsonObject *addition) {
  const auto model = adopt(json_object_new());
  for (const std::string &name : json::memberNames(known))
    json_object_set_member(model.get(), name.c_str(), json_node_copy(json::member(known, name.c_str())));
  const auto extend = [&](const char *list, const auto &wanted) {
    const auto longer = adopt(json_array_new());
    const auto add = [&](JsonNode *node) {
      json_array_add_element(longer.get(), json_node_copy(node));
    };
    forEach(known, list, G_MAXSIZE, add);
    forEach(addition, list, mostParameters, [&](JsonNode *node) {
      if (wanted(node))
        add(node);
    });
    json_object_set_array_member(model.get(), list, json_array_ref(longer.get()));
  };
  std::vector<std::string> names = namesIn(known, "parameters");
  const std::vector<std::string> legacy = namesIn(known, "legacy_parameters");
  names.insert(names.end(), legacy.begin(), legacy.end());
  const auto isServed = [&](const std::string &name) {
    const std::string property = propertyFor(name);
    return std::ranges::any_of(names, [&](const std::string &other) {
      return other == name || (!property.empty() && propertyFor(other) == property);
    });
  };
  extend("parameters", [&](JsonNode *node) {
    JsonObject *parameter = json::objectIn(node);
    return parameter && !isServed(textIn(parameter, "name")) && !json::isTrue(json::member(parameter, "required"));
  });
  extend("aliases", [](JsonNode *) { return true; });
  return adopt(json_node_init_object(json_node_alloc(), model.get()));
}

std::string overlayFile() {
  return std::string(g_get_user_cache_dir()) + "/aimlvideo/models.json";
}

Overlay loadOverlay(const std::string &path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0)
    return errno == ENOENT || errno == ENOTDIR ? Overlay() : ignored(g_strerror(errno));
  const std::unique_ptr<const int, Closer> closer(&descriptor);
  struct stat facts{};
  if (fstat(descriptor, &facts) != 0)
    return ignored(g_strerror(errno));
  if (!S_ISREG(facts.st_mode))
    return ignored("it is not a file");
  if (facts.st_uid != geteuid() || (facts.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return ignored("others can write to it");
  if (static_cast<size_t>(facts.st_size) > largestFile)
    return ignored("it is too large");
  std::string text(static_cast<size_t>(facts.st_size), '\0');
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = read(descriptor, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return ignored("it can't be read");
    done += static_cast<size_t>(count);
  }
  return text.empty() ? ignored("it is empty") : parseOverlay(text);
}

} // namespace aimlvideo
