// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <aimlvideo/export.h>

namespace aimlvideo {

/// Foreign text as one line that a terminal or a log shows and does nothing else with: the service's words, names in
/// files, whatever comes from outside. What would move the cursor, begin a line or start an escape sequence becomes a
/// blank; what is no UTF-8 or turns the direction of writing becomes U+FFFD, so that nothing hides. Letters of all
/// scripts and emoji stay as they are.
AIMLVIDEO_API std::string printable(std::string_view text);

/// Likewise, but for a text of several lines that is one's own, with foreign parts in it: line feeds stay.
AIMLVIDEO_API std::string printableLines(std::string_view text);

/// JSON text in which the same characters are written as `\uXXXX`: a program reads what it read before.
AIMLVIDEO_API std::string printableJson(std::string_view json);

} // namespace aimlvideo
