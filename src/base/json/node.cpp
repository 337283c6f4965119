// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json/node.h"

#include <cmath>
#include <memory>
#include <utility>

#include <aimlvideo/money.h>
#include <aimlvideo/printable.h>

#include "base/json/text.h"

namespace aimlvideo::json {

namespace {

class Writer {
public:
  explicit Writer(Layout layout) : layout_(layout) {}

  std::string text;

  void write(JsonNode *node) {
    if (JSON_NODE_HOLDS_OBJECT(node))
      writeObject(json_node_get_object(node));
    else if (JSON_NODE_HOLDS_ARRAY(node))
      writeArray(json_node_get_array(node));
    else if (JSON_NODE_HOLDS_VALUE(node))
      writeValue(node);
    else
      text += "null";
  }

private:
  void writeObject(JsonObject *object) {
    JsonObjectIter members;
    const char *name = nullptr;
    JsonNode *member = nullptr;
    begin('{');
    json_object_iter_init_ordered(&members, object);
    for (bool first = true; json_object_iter_next_ordered(&members, &name, &member); first = false) {
      beginMember(first);
      append(text, std::string_view(name));
      text += layout_ == Layout::Indented ? " : " : ":";
      write(member);
    }
    end('}', json_object_get_size(object) == 0);
  }

  void writeArray(JsonArray *array) {
    begin('[');
    for (guint i = 0; i < json_array_get_length(array); ++i) {
      beginMember(i == 0);
      write(json_array_get_element(array, i));
    }
    end(']', json_array_get_length(array) == 0);
  }

  void begin(char bracket) {
    text += bracket;
    ++depth_;
  }

  void beginMember(bool first) {
    text += first ? "" : ",";
    breakLine();
  }

  void end(char bracket, bool empty) {
    --depth_;
    if (!empty)
      breakLine();
    text += bracket;
  }

  void breakLine() {
    if (layout_ == Layout::Indented)
      text.append(1, '\n').append(2 * depth_, ' ');
  }

  void writeValue(JsonNode *node) {
    const GType type = json_node_get_value_type(node);
    if (type == G_TYPE_STRING)
      append(text, std::string_view(json_node_get_string(node)));
    else if (type == G_TYPE_DOUBLE)
      append(text, json_node_get_double(node));
    else if (type == G_TYPE_BOOLEAN)
      text += json_node_get_boolean(node) ? "true" : "false";
    else
      text += std::to_string(json_node_get_int(node));
  }

  const Layout layout_;
  size_t depth_ = 0;
};

tl::expected<GRefPtr<JsonNode>, std::string> parseWith(JsonParser *parser, std::string_view text) {
  if (text.empty())
    return tl::unexpected(std::string("it is empty"));
  if (!g_utf8_validate_len(text.data(), text.size(), nullptr))
    return tl::unexpected(std::string("it is not UTF-8 text"));
  std::string rewritten;
  const auto readable = readableText(text, rewritten);
  if (!readable)
    return tl::unexpected(readable.error());
  GErrorSlot error;
  if (!json_parser_load_from_data(parser, readable->data(), static_cast<gssize>(readable->size()), &error))
    // the parser quotes what it stumbled over, which may be half a character or none for people
    return tl::unexpected("it is not valid JSON (" + printable(error.message()) + ")");
  JsonNode *root = json_parser_steal_root(parser);
  if (!root)
    return tl::unexpected(std::string("it is empty"));
  return adopt(root);
}

} // namespace

tl::expected<GRefPtr<JsonNode>, std::string> parse(std::string_view text) {
  return parseWith(adopt(json_parser_new_immutable()).get(), text);
}

tl::expected<GRefPtr<JsonNode>, std::string> parseMutable(std::string_view text) {
  return parseWith(adopt(json_parser_new()).get(), text);
}

JsonObject *objectIn(JsonNode *node) {
  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : nullptr;
}

JsonNode *member(JsonObject *object, const char *name) {
  return object ? json_object_get_member(object, name) : nullptr;
}

bool isTrue(JsonNode *node) {
  return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_BOOLEAN &&
         json_node_get_boolean(node);
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

std::string write(JsonNode *node, Layout layout) {
  if (!node)
    return "null";
  Writer writer(layout);
  writer.write(node);
  return std::move(writer.text);
}

} // namespace aimlvideo::json
