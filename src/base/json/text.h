// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace aimlvideo::json {

/// A foreign JSON text as json-glib reads it without harm. The error is a sentence without a place.
///
/// Refused: text nested deeper than any answer of the service, since the parser works by recursion; comments, other
/// quotes and numbers of other languages, which it takes for JSON; numbers beyond a double. Rewritten, since a text
/// that the service cut in the midst of an emoji must not make its whole answer unreadable: half a surrogate pair and
/// NUL become U+FFFD; a whole number beyond 64 bits, which it would read as -1, becomes a double.
tl::expected<std::string, std::string> readableText(std::string_view text);

/// The shortest spelling of a finite number that reads back as the same; json-glib's own may be no JSON.
std::string spelled(double value);

} // namespace aimlvideo::json
