// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <aimlvideo/export.h>

namespace aimlvideo {

/// Foreign text as one line that a terminal or a log only displays: the service's words, names in files, whatever comes
/// from outside. What would move the cursor, begin a line or start an escape sequence becomes a space; what is not
/// UTF-8 or changes the writing direction becomes U+FFFD, so that nothing is hidden. Letters of all scripts and emoji
/// stay as they are.
AIMLVIDEO_API std::string printable(std::string_view text);

/// Likewise, but for our own text of several lines with foreign parts in it: line feeds stay.
AIMLVIDEO_API std::string printableLines(std::string_view text);

/// JSON text in which the same characters are written as `\uXXXX`: a program reads the same text.
AIMLVIDEO_API std::string printableJson(std::string_view json);

} // namespace aimlvideo
