// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace aimlvideo::json {

/// A foreign JSON text as json-glib reads it without harm: `text` itself, or `rewritten`, which it is put into where
/// something had to change. The error is a sentence without a place.
///
/// Refused: text nested deeper than any answer of the service, since the parser works by recursion; comments, other
/// quotes and numbers of other languages, which it takes for JSON. Rewritten, since a text that the service cut in the
/// midst of an emoji must not make its whole answer unreadable: half a surrogate pair and NUL become U+FFFD; a whole
/// number beyond 64 bits, which it would read as -1, becomes a double; a number beyond a double becomes null.
tl::expected<std::string_view, std::string> readableText(std::string_view text, std::string &rewritten);

/// Appends a string with its quotes and escapes. Part of what makes two requests the same, see canonicalJson(): every
/// byte is spelled for ever as json-glib 1.6 did.
void append(std::string &to, std::string_view text);

/// Appends the shortest spelling of a finite number that reads back as the same, and `null` for any other; json-glib's
/// own may be no JSON.
void append(std::string &to, double value);

} // namespace aimlvideo::json
