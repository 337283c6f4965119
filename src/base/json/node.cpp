// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json/node.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/json/text.h"
#include "base/money.h"
#include "base/printable.h"

namespace aimlvideo::json {

namespace {

class Writer {
public:
  std::string text;

  void write(JsonNode *node) {
    if (JSON_NODE_HOLDS_OBJECT(node))
      writeObject(json_node_get_object(node));
    else if (JSON_NODE_HOLDS_ARRAY(node))
      writeArray(json_node_get_array(node));
    else if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_DOUBLE)
      text += spelled(json_node_get_double(node));
    else
      writeScalar(node);
  }

private:
  void writeObject(JsonObject *object) {
    const char *separator = "";
    text += '{';
    for (const std::string &name : memberNames(object)) {
      const auto key = adopt(json_node_init_string(json_node_alloc(), name.c_str()));
      text += std::exchange(separator, ",");
      writeScalar(key.get());
      text += ':';
      write(json_object_get_member(object, name.c_str()));
    }
    text += '}';
  }

  void writeArray(JsonArray *array) {
    text += '[';
    for (guint i = 0; i < json_array_get_length(array); ++i) {
      text += i == 0 ? "" : ",";
      write(json_array_get_element(array, i));
    }
    text += ']';
  }

  void writeScalar(JsonNode *node) {
    const GCharPtr spelling(json_to_string(node, FALSE));
    text += spelling.get();
  }
};

} // namespace

tl::expected<GRefPtr<JsonNode>, std::string> parse(std::string_view text) {
  if (text.empty())
    return tl::unexpected(std::string("it is empty"));
  if (!g_utf8_validate_len(text.data(), text.size(), nullptr))
    return tl::unexpected(std::string("it is not UTF-8 text"));
  const auto readable = readableText(text);
  if (!readable)
    return tl::unexpected(readable.error());
  const auto parser = adopt(json_parser_new_immutable());
  GErrorSlot error;
  if (!json_parser_load_from_data(parser.get(), readable->data(), static_cast<gssize>(readable->size()), &error))
    // the parser quotes what it stumbled over, which may be half a character or none for people
    return tl::unexpected("it is not valid JSON (" + printable(error.message()) + ")");
  JsonNode *root = json_parser_get_root(parser.get());
  if (!root)
    return tl::unexpected(std::string("it is empty"));
  return share(root);
}

JsonObject *objectIn(JsonNode *node) {
  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : nullptr;
}

JsonNode *member(JsonObject *object, const char *name) {
  return object ? json_object_get_member(object, name) : nullptr;
}

std::vector<std::string> memberNames(JsonObject *object) {
  std::vector<std::string> names;
  const auto members = std::unique_ptr<GList, void (*)(GList *)>(json_object_get_members(object), g_list_free);
  for (GList *link = members.get(); link; link = link->next)
    names.emplace_back(static_cast<const char *>(link->data));
  return names;
}

std::optional<std::string> scalarText(JsonNode *node) {
  if (!node || !JSON_NODE_HOLDS_VALUE(node))
    return {};
  if (json_node_get_value_type(node) == G_TYPE_STRING)
    return json_node_get_string(node);
  return write(node);
}

std::optional<double> number(JsonNode *node) {
  const auto text = scalarText(node);
  if (!text || text->empty())
    return {};
  char *end = nullptr;
  const double value = g_ascii_strtod(text->c_str(), &end);
  if (*end != '\0' || !std::isfinite(value))
    return {};
  return value;
}

std::optional<double> money(JsonNode *node) {
  const auto text = scalarText(node);
  return text ? parseUsd(*text) : std::nullopt;
}

std::string write(JsonNode *node) {
  if (!node)
    return "null";
  Writer writer;
  writer.write(node);
  return std::move(writer.text);
}

} // namespace aimlvideo::json
