// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <json-glib/json-glib.h>

#include <aimlvideo/glib_ptr.h>

namespace aimlvideo {

template <>
struct RefTraits<JsonNode> {
  static void ref(JsonNode *node) { json_node_ref(node); }
  static void unref(JsonNode *node) { json_node_unref(node); }
};

template <>
struct RefTraits<JsonObject> {
  static void ref(JsonObject *object) { json_object_ref(object); }
  static void unref(JsonObject *object) { json_object_unref(object); }
};

template <>
struct RefTraits<JsonArray> {
  static void ref(JsonArray *array) { json_array_ref(array); }
  static void unref(JsonArray *array) { json_array_unref(array); }
};

} // namespace aimlvideo
