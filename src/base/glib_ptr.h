// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include <json-glib/json-glib.h>

#include <aimlvideo/glib_ptr.h>

namespace aimlvideo {

/// RefTraits of a type with two functions for it.
template <auto Ref, auto Unref>
struct CountedBy {
  template <typename T>
  static void ref(T *object) {
    Ref(object);
  }
  template <typename T>
  static void unref(T *object) {
    Unref(object);
  }
};

template <>
struct RefTraits<GDateTime> : CountedBy<g_date_time_ref, g_date_time_unref> {};
template <>
struct RefTraits<GMainLoop> : CountedBy<g_main_loop_ref, g_main_loop_unref> {};
template <>
struct RefTraits<GMappedFile> : CountedBy<g_mapped_file_ref, g_mapped_file_unref> {};
template <>
struct RefTraits<GRegex> : CountedBy<g_regex_ref, g_regex_unref> {};
template <>
struct RefTraits<GTimeZone> : CountedBy<g_time_zone_ref, g_time_zone_unref> {};
template <>
struct RefTraits<JsonArray> : CountedBy<json_array_ref, json_array_unref> {};
template <>
struct RefTraits<JsonNode> : CountedBy<json_node_ref, json_node_unref> {};
template <>
struct RefTraits<JsonObject> : CountedBy<json_object_ref, json_object_unref> {};

/// For what has one owner: `std::unique_ptr<cairo_t, ReleasedBy<cairo_destroy>>`.
template <auto Function>
struct ReleasedBy {
  template <typename T>
  void operator()(T *pointer) const {
    Function(pointer);
  }
};

/// A list of texts that ends with null.
using GStrvPtr = std::unique_ptr<char *, ReleasedBy<g_strfreev>>;

} // namespace aimlvideo
