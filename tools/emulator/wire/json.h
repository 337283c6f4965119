// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <concepts>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <json-glib/json-glib.h>
#include <tl/expected.hpp>

namespace emulator {

// A JSON value. Copies share the value, as in JavaScript. A default-constructed
// Json is *absent*: it has no value, not even null, and is left out of objects.
class Json {
public:
  Json() = default;
  Json(std::nullptr_t);
  Json(const char *text);
  Json(std::string_view text);
  Json(const std::string &text) : Json(std::string_view(text)) {}
  Json(double number);
  template <std::integral T>
  Json(T value) {
    if constexpr (std::same_as<T, bool>)
      setBoolean(value);
    else
      setInteger(static_cast<gint64>(value));
  }

  static Json object(std::initializer_list<std::pair<const char *, Json>> members = {});
  static Json array(const std::vector<Json> &elements = {});
  // The error says in words what is wrong with `text`.
  static tl::expected<Json, std::string> parse(std::string_view text);

  bool exists() const { return bool(node_); }
  bool isNull() const;
  bool isString() const;
  bool isNumber() const;
  bool isBoolean() const;
  bool isObject() const;
  bool isArray() const;

  // The value, or the fallback where it is absent or of another type.
  std::string string(std::string_view fallback = {}) const;
  double number(double fallback = 0) const;
  bool boolean(bool fallback = false) const;

  // A member of an object; absent where this is no object or has none of that name.
  Json operator[](std::string_view name) const;
  std::vector<std::string> names() const;
  // The elements of an array; empty for anything else.
  std::vector<Json> elements() const;

  Json &set(std::string_view name, const Json &value);
  Json &add(const Json &value);

  // By value: objects whatever the order of their members, 5 like 5.0.
  bool operator==(const Json &other) const;
  std::string dump() const;

private:
  struct Unref {
    void operator()(JsonNode *node) const { json_node_unref(node); }
  };
  explicit Json(JsonNode *taken) : node_(taken, Unref()) {}
  void setBoolean(bool value);
  void setInteger(gint64 value);

  std::shared_ptr<JsonNode> node_;
};

} // namespace emulator
