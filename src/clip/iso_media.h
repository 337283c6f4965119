// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
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

enum class Wholeness {
  Whole,
  Cut,     ///< whatever else may come, something is missing
  Unclear, ///< what is there shows neither, or it is no ISO media file
};
struct WholenessFinding {
  Wholeness wholeness = Wholeness::Unclear;
  std::string why;      ///< it is cut
  bool mayGoOn = false; ///< it is whole as far as it goes, and another fragment could follow
};

/// Whether a file that ends at `size` has all that its boxes speak of: they end within it, and so do the samples that
/// its tables list. Hosts cut files and tell so with the wrong length or none.
WholenessFinding wholenessOf(const Spool &spool, uint64_t size);

} // namespace aimlvideo
