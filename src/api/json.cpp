// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/json.h"

#include <algorithm>
#include <cmath>

namespace aimlvideo::json {

namespace {

constexpr int maximumDepth = 64;

/// What stands between the strings of a JSON text. The parser also takes comments and other quotes, in which brackets
/// could hide from the count below.
constexpr std::string_view betweenStrings =
    "{}[]:, \t\r\n+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// How deep a text is nested; nothing where it is no JSON by its characters already.
std::optional<int> nestingDepth(std::string_view text) {
  int depth = 0;
  int deepest = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (inString) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        inString = false;
    } else if (c == '"') {
      inString = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (betweenStrings.find(c) == std::string_view::npos) {
      return {};
    }
  }
  return deepest;
}

} // namespace

tl::expected<GRefPtr<JsonNode>, std::string> parse(std::string_view text) {
  if (text.empty())
    return tl::unexpected(std::string("it is empty"));
  if (!g_utf8_validate_len(text.data(), text.size(), nullptr))
    return tl::unexpected(std::string("it is not UTF-8 text"));
  const auto depth = nestingDepth(text);
  if (!depth)
    return tl::unexpected(std::string("it is not valid JSON"));
  if (*depth > maximumDepth)
    return tl::unexpected("it is nested deeper than " + std::to_string(maximumDepth) + " levels");
  const auto parser = adopt(json_parser_new_immutable());
  GErrorSlot error;
  if (!json_parser_load_from_data(parser.get(), text.data(), static_cast<gssize>(text.size()), &error))
    return tl::unexpected("it is not valid JSON (" + std::string(error.message()) + ")");
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

std::string write(JsonNode *node) {
  if (!node)
    return "null";
  const GCharPtr text(json_to_string(node, FALSE));
  return text.get();
}

} // namespace aimlvideo::json
