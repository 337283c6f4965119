// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <json-glib/json-glib.h>

#include <aimlvideo/error.h>

#include "base/glib_ptr.h"

namespace aimlvideo::json {

/// Parses foreign text, see readableText(). The error is a sentence without a place: the caller knows what was being
/// read.
tl::expected<GRefPtr<JsonNode>, std::string> parse(std::string_view text);

/// The same, for who changes what was read.
tl::expected<GRefPtr<JsonNode>, std::string> parseMutable(std::string_view text);

/// The object in a node, or null. Borrowed from the node.
JsonObject *objectIn(JsonNode *node);

/// A member of an object, or null. Borrowed. `object` may be null.
JsonNode *member(JsonObject *object, const char *name);

/// The names in an object, in its order.
std::vector<std::string> memberNames(JsonObject *object);

/// A string, or a number or boolean in its JSON spelling. Nothing for null, objects and arrays.
std::optional<std::string> scalarText(JsonNode *node);

/// The value `true`, and nothing else. `node` may be null.
bool isTrue(JsonNode *node);

/// A number, also one spelt as a string.
std::optional<double> number(JsonNode *node);

/// A sum of money, see parseUsd().
std::optional<double> money(JsonNode *node);

enum class Layout {
  Compact,
  Indented, ///< by two blanks a level, for people
};

/// The text of any node, which parse() reads back as the same. A null pointer reads `null`.
std::string write(JsonNode *node, Layout layout = Layout::Compact);

} // namespace aimlvideo::json
