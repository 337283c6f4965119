// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/wire/json.h"

#include <charconv>
#include <cmath>
#include <iterator>
#include <utility>

#include "emulator/wire/glib_ptr.h"

namespace emulator {
namespace {

// json-glib descends recursively: deeper nesting than any request needs could exhaust the stack.
constexpr int maxDepth = 64;

// What stands between the strings of JSON. The parser also takes comments, in which brackets could hide from the count.
constexpr std::string_view betweenStrings =
    "{}[]:, \t\r\n+-.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

// Words for what makes the text one that must not be parsed; null where nothing does.
const char *findObstacle(std::string_view text) {
  int depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); i++) {
    char c = text[i];
    if (inString) {
      if (c == '\\')
        i++;
      else if (c == '"')
        inString = false;
    } else if (c == '"') {
      inString = true;
    } else if (c == '{' || c == '[') {
      if (++depth > maxDepth)
        return "the value is nested too deeply";
    } else if (c == '}' || c == ']') {
      depth--;
    } else if (betweenStrings.find(c) == std::string_view::npos) {
      return "the text is not JSON";
    }
  }
  return nullptr;
}

void appendString(std::string &text, const char *value) {
  text += '"';
  for (const char *c = value; *c; c++) {
    char escape[8];
    if (*c == '"' || *c == '\\')
      text += {'\\', *c};
    else if (static_cast<unsigned char>(*c) >= 0x20)
      text += *c;
    else if (*c == '\n')
      text += "\\n";
    else if (g_snprintf(escape, sizeof escape, "\\u%04x", unsigned(*c)))
      text += escape;
  }
  text += '"';
}

// json-glib would write 0.1 as 0.10000000000000001 and 5 of type double as 5.0.
void appendNumber(std::string &text, JsonNode *node) {
  constexpr double exact = 1e15; // whole numbers below are kept by a double, and read better without an exponent
  char digits[32];
  double number = json_node_get_double(node);
  bool isWhole =
      json_node_get_value_type(node) != G_TYPE_DOUBLE || (std::abs(number) < exact && number == std::floor(number));
  auto end = isWhole ? std::to_chars(std::begin(digits), std::end(digits), json_node_get_int(node)).ptr
                     : std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  text.append(digits, end);
}

void append(std::string &text, JsonNode *node) {
  bool isFirst = true;
  auto separate = [&] {
    text += std::exchange(isFirst, false) ? "" : ",";
  };
  if (JSON_NODE_HOLDS_OBJECT(node)) {
    text += '{';
    JsonObjectIter iterator;
    const char *name = nullptr;
    JsonNode *member = nullptr;
    json_object_iter_init_ordered(&iterator, json_node_get_object(node));
    while (json_object_iter_next_ordered(&iterator, &name, &member)) {
      separate();
      appendString(text, name);
      text += ':';
      append(text, member);
    }
    text += '}';
  } else if (JSON_NODE_HOLDS_ARRAY(node)) {
    text += '[';
    JsonArray *array = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(array); i++) {
      separate();
      append(text, json_array_get_element(array, i));
    }
    text += ']';
  } else if (JSON_NODE_HOLDS_NULL(node)) {
    text += "null";
  } else if (json_node_get_value_type(node) == G_TYPE_STRING) {
    appendString(text, json_node_get_string(node));
  } else if (json_node_get_value_type(node) == G_TYPE_BOOLEAN) {
    text += json_node_get_boolean(node) ? "true" : "false";
  } else {
    appendNumber(text, node);
  }
}

} // namespace

Json::Json(std::nullptr_t) : Json(json_node_new(JSON_NODE_NULL)) {}

Json::Json(const char *text) : Json(std::string_view(text)) {}

Json::Json(std::string_view text) : Json(json_node_alloc()) {
  // clients may send anything, also where it is quoted in an answer
  CharPtr valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  json_node_init_string(node_.get(), valid.get());
}

Json::Json(double number) : Json(json_node_init_double(json_node_alloc(), number)) {}

void Json::setBoolean(bool value) {
  *this = Json(json_node_init_boolean(json_node_alloc(), value));
}

void Json::setInteger(gint64 value) {
  *this = Json(json_node_init_int(json_node_alloc(), value));
}

Json Json::object(std::initializer_list<std::pair<const char *, Json>> members) {
  Json result(json_node_alloc());
  json_node_init_object(result.node_.get(), nullptr);
  json_node_take_object(result.node_.get(), json_object_new());
  for (const auto &[name, value] : members)
    result.set(name, value);
  return result;
}

Json Json::array(const std::vector<Json> &elements) {
  Json result(json_node_alloc());
  json_node_init_array(result.node_.get(), nullptr);
  json_node_take_array(result.node_.get(), json_array_new());
  for (const Json &element : elements)
    result.add(element);
  return result;
}

tl::expected<Json, std::string> Json::parse(std::string_view text) {
  if (!g_utf8_validate_len(text.data(), text.size(), nullptr))
    return tl::unexpected<std::string>("the text is not UTF-8");
  if (const char *obstacle = findObstacle(text))
    return tl::unexpected<std::string>(obstacle);
  ObjectPtr<JsonParser> parser(json_parser_new());
  ErrorPtr error;
  if (!json_parser_load_from_data(parser.get(), text.data(), static_cast<gssize>(text.size()), ErrorOut(error)))
    return tl::unexpected<std::string>(error->message);
  JsonNode *root = json_parser_steal_root(parser.get());
  if (!root)
    return tl::unexpected<std::string>("Unexpected end of JSON input");
  return Json(root);
}

bool Json::isNull() const {
  return node_ && JSON_NODE_HOLDS_NULL(node_.get());
}

bool Json::isString() const {
  return node_ && JSON_NODE_HOLDS_VALUE(node_.get()) && json_node_get_value_type(node_.get()) == G_TYPE_STRING;
}

bool Json::isNumber() const {
  if (!node_ || !JSON_NODE_HOLDS_VALUE(node_.get()))
    return false;
  GType type = json_node_get_value_type(node_.get());
  return type == G_TYPE_INT64 || type == G_TYPE_DOUBLE;
}

bool Json::isBoolean() const {
  return node_ && JSON_NODE_HOLDS_VALUE(node_.get()) && json_node_get_value_type(node_.get()) == G_TYPE_BOOLEAN;
}

bool Json::isObject() const {
  return node_ && JSON_NODE_HOLDS_OBJECT(node_.get());
}

bool Json::isArray() const {
  return node_ && JSON_NODE_HOLDS_ARRAY(node_.get());
}

std::string Json::string(std::string_view fallback) const {
  return std::string(isString() ? std::string_view(json_node_get_string(node_.get())) : fallback);
}

double Json::number(double fallback) const {
  return isNumber() ? json_node_get_double(node_.get()) : fallback;
}

bool Json::boolean(bool fallback) const {
  return isBoolean() ? json_node_get_boolean(node_.get()) : fallback;
}

Json Json::operator[](std::string_view name) const {
  if (!isObject())
    return {};
  JsonNode *member = json_object_get_member(json_node_get_object(node_.get()), std::string(name).c_str());
  return member ? Json(json_node_ref(member)) : Json();
}

std::vector<std::string> Json::names() const {
  std::vector<std::string> result;
  if (!isObject())
    return result;
  GList *members = json_object_get_members(json_node_get_object(node_.get()));
  for (GList *l = members; l; l = l->next)
    result.emplace_back(static_cast<const char *>(l->data));
  g_list_free(members);
  return result;
}

std::vector<Json> Json::elements() const {
  std::vector<Json> result;
  if (!isArray())
    return result;
  JsonArray *array = json_node_get_array(node_.get());
  for (guint i = 0; i < json_array_get_length(array); i++)
    result.push_back(Json(json_node_ref(json_array_get_element(array, i))));
  return result;
}

Json &Json::set(std::string_view name, const Json &value) {
  if (value.node_)
    json_object_set_member(json_node_get_object(node_.get()), std::string(name).c_str(),
                           json_node_ref(value.node_.get()));
  return *this;
}

Json &Json::add(const Json &value) {
  if (value.node_)
    json_array_add_element(json_node_get_array(node_.get()), json_node_ref(value.node_.get()));
  return *this;
}

bool Json::operator==(const Json &other) const {
  if (!node_ || !other.node_)
    return !node_ && !other.node_;
  if (isNumber() && other.isNumber())
    return number() == other.number();
  return json_node_equal(node_.get(), other.node_.get());
}

std::string Json::dump() const {
  std::string text;
  if (node_)
    append(text, node_.get());
  return text;
}

} // namespace emulator
