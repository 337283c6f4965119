// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string_view>

#include "clip/spool.h"

namespace aimlvideo {

/// So many bytes of a body tell a page from a video.
constexpr size_t bytesThatTell = 256;

/// A page instead of a clip, as hosts send it with status 200. Every ISO media file has a box type at byte 4 and
/// numbers around it, and text has no control characters.
bool looksLikeText(std::string_view start);

/// Whether a body begins as a clip does: with a box of an ISO media file, or with the mark of another container that a
/// player may know. What does not must not be kept as something that was paid for.
bool looksLikeVideo(std::string_view start);

// Called on the thread that writes the spool.

/// Whether what is there shows that a player needs nothing from behind it to begin: the moov box before the media.
bool beginsWithMovie(const Spool &spool);

/// Whether the last box of the file ends at `size`. A file whose host does not tell its length may have been cut.
bool endsWithBox(const Spool &spool, uint64_t size);

} // namespace aimlvideo
