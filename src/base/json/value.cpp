// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json/value.h"

namespace aimlvideo::json {

Value::Value(std::nullptr_t) : Value(adopt(json_node_new(JSON_NODE_NULL))) {}

Value::Value(std::string_view text) {
  const GCharPtr valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  node_ = adopt(json_node_init_string(json_node_alloc(), valid.get()));
}

Value::Value(double number) : Value(adopt(json_node_init_double(json_node_alloc(), number))) {}

Value Value::object(std::initializer_list<std::pair<const char *, Value>> members) {
  const auto object = adopt(json_object_new());
  Value result(adopt(json_node_init_object(json_node_alloc(), object.get())));
  for (const auto &[name, value] : members)
    result.set(name, value);
  return result;
}

Value Value::array(const std::vector<Value> &elements) {
  const auto array = adopt(json_array_new());
  Value result(adopt(json_node_init_array(json_node_alloc(), array.get())));
  for (const Value &element : elements)
    result.add(element);
  return result;
}

tl::expected<Value, std::string> Value::parse(std::string_view text) {
  return parseMutable(text).map([](GRefPtr<JsonNode> node) { return Value(std::move(node)); });
}

bool Value::holds(GType type) const {
  return node_ && JSON_NODE_HOLDS_VALUE(node_.get()) && json_node_get_value_type(node_.get()) == type;
}

std::string Value::string(std::string_view fallback) const {
  return std::string(isString() ? std::string_view(json_node_get_string(node_.get())) : fallback);
}

double Value::number(double fallback) const {
  return isNumber() ? json_node_get_double(node_.get()) : fallback;
}

bool Value::boolean(bool fallback) const {
  return isBoolean() ? json_node_get_boolean(node_.get()) : fallback;
}

Value Value::operator[](std::string_view name) const {
  return Value(share(member(objectIn(node_.get()), std::string(name).c_str())));
}

std::vector<std::string> Value::names() const {
  JsonObject *object = objectIn(node_.get());
  return object ? memberNames(object) : std::vector<std::string>();
}

std::vector<Value> Value::elements() const {
  std::vector<Value> result;
  if (!isArray())
    return result;
  JsonArray *array = json_node_get_array(node_.get());
  for (guint i = 0; i < json_array_get_length(array); ++i)
    result.emplace_back(share(json_array_get_element(array, i)));
  return result;
}

Value &Value::set(std::string_view name, const Value &value) {
  if (value.exists())
    json_object_set_member(json_node_get_object(node_.get()), std::string(name).c_str(),
                           GRefPtr<JsonNode>(value.node_).release());
  return *this;
}

Value &Value::add(const Value &value) {
  if (value.exists())
    json_array_add_element(json_node_get_array(node_.get()), GRefPtr<JsonNode>(value.node_).release());
  return *this;
}

bool Value::operator==(const Value &other) const {
  if (!node_ || !other.node_)
    return !node_ && !other.node_;
  return json_node_equal(node_.get(), other.node_.get());
}

std::string Value::dump(Layout layout) const {
  return node_ ? write(node_.get(), layout) : std::string();
}

} // namespace aimlvideo::json
