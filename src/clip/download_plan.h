// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>

#include "clip/present_ranges.h"
#include "clip/spool.h"

namespace aimlvideo {

/// An open connection: the next byte it brings, and where it ends.
struct Line {
  uint64_t position = 0;
  uint64_t end = UINT64_MAX;
};

/// What a downloader has and is asked for.
struct Situation {
  std::optional<uint64_t> size; ///< of the clip
  std::optional<Line> head;     ///< brings the clip from somewhere on to its end
  std::optional<Line> jump;     ///< brings a short part that a reader waits for
  std::optional<Spool::Demand> demand;
  uint64_t lastAsked = 0;     ///< where a reader asked last
  bool parts = true;          ///< the host sends parts of a file
  bool jumps = true;          ///< a second connection may be made now
  uint64_t near = 128 * 1024; ///< so many bytes come sooner than an answer to another request
  uint64_t lastJumpEnd = 0;   ///< where the latest jump ended; 0: there was none
};

struct Step {
  enum class Kind {
    ReadHead,
    ReadJump,
    OpenHead, ///< in place of the present one
    OpenJump, ///< in place of the present one
    Done,
  };
  Kind kind = Kind::Done;
  uint64_t first = 0; ///< of what to ask for
  uint64_t end = 0;   ///< behind it; the clip's size, or UINT64_MAX, for all there is
};

/// What to do next. A connection that was just opened for a reader is always the one to read from next, so that no
/// request is made twice for the same bytes.
Step nextStep(const PresentRanges &present, const Situation &now);

} // namespace aimlvideo
