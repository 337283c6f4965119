// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/node.h"

namespace aimlvideo::json {

template <typename T>
concept WholeNumber = std::integral<T> && !std::same_as<T, bool>;

/// A JSON value. Copies share the value, as in JavaScript. A default-constructed one is *absent*: it has no value, not
/// even null, and is left out of objects and arrays.
class Value {
public:
  Value() = default;
  Value(std::nullptr_t);
  Value(const char *text) : Value(std::string_view(text)) {}
  /// What is not UTF-8 in it reads as U+FFFD.
  Value(std::string_view text);
  Value(const std::string &text) : Value(std::string_view(text)) {}
  Value(double number);
  template <std::same_as<bool> T> // no pointer is one
  Value(T value) : Value(adopt(json_node_init_boolean(json_node_alloc(), value))) {}
  template <WholeNumber T>
  Value(T number) : Value(adopt(json_node_init_int(json_node_alloc(), static_cast<gint64>(number)))) {}

  /// Shares a node. One of parse() can't be changed.
  explicit Value(GRefPtr<JsonNode> node) : node_(std::move(node)) {}

  static Value object(std::initializer_list<std::pair<const char *, Value>> members = {});
  static Value array(const std::vector<Value> &elements = {});
  /// Foreign text, see json::parse().
  static tl::expected<Value, std::string> parse(std::string_view text);

  bool exists() const { return bool(node_); }
  bool isNull() const { return node_ && JSON_NODE_HOLDS_NULL(node_.get()); }
  bool isString() const { return holds(G_TYPE_STRING); }
  bool isNumber() const { return holds(G_TYPE_INT64) || holds(G_TYPE_DOUBLE); }
  bool isBoolean() const { return holds(G_TYPE_BOOLEAN); }
  bool isObject() const { return objectIn(node_.get()) != nullptr; }
  bool isArray() const { return node_ && JSON_NODE_HOLDS_ARRAY(node_.get()); }

  /// The value, or the fallback if it is absent or of another type.
  std::string string(std::string_view fallback = {}) const;
  double number(double fallback = 0) const;
  bool boolean(bool fallback = false) const;

  /// A member of an object; absent if this is no object or has none of that name.
  Value operator[](std::string_view name) const;
  /// The names in an object, in its order; empty for anything else.
  std::vector<std::string> names() const;
  /// The elements of an array; empty for anything else.
  std::vector<Value> elements() const;

  /// This must be an object.
  Value &set(std::string_view name, const Value &value);
  /// This must be an array.
  Value &add(const Value &value);

  /// By value: objects whatever the order of their members, 5 like 5.0.
  bool operator==(const Value &other) const;
  /// Its text; empty if it is absent.
  std::string dump(Layout layout = Layout::Compact) const;

private:
  bool holds(GType type) const;

  GRefPtr<JsonNode> node_;
};

} // namespace aimlvideo::json
