// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <optional>

#include "emulator/studio/look.h"
#include "emulator/studio/picture.h"

namespace aimlvideo::emulator {

/// Draws a clip's frames, one after the other.
class Painter {
public:
  virtual ~Painter() = default;
  /// `time` runs from 0 (first frame) to 1 (last frame).
  virtual void paint(double time, const Canvas &canvas) = 0;
};

/// A slow camera move over the first picture; with a last picture, a crossfade to it. The frame at time 0 is the first
/// picture itself, at time 1 the last.
std::unique_ptr<Painter> makeImagePainter(Picture first, std::optional<Picture> last);

/// A made-up landscape at dusk or dawn that drifts by; `seed` picks its colours and shapes.
std::unique_ptr<Painter> makeScenePainter(uint64_t seed, Size size);

} // namespace aimlvideo::emulator
