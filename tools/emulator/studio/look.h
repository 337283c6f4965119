// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "emulator/wire/media.h"

namespace aimlvideo::emulator {

enum class Layout { FastStart, MoovLast, Fragmented };

/// Everything that decides how a clip looks: two equal looks give the same bytes.
struct Look {
  std::string model;
  std::string prompt;
  std::optional<MediaReference> firstImage;
  std::optional<MediaReference> lastImage;
  /// The picture's shape as asked for; a first image decides it otherwise.
  double aspect = 16.0 / 9;
  /// Pixels of one frame: the service keeps the area of a resolution, whatever the shape.
  int area = 1280 * 720;
  double seconds = 5;
  int framesPerSecond = 24;
  bool sound = false;
  Layout layout = Layout::FastStart;
  int longestSide = 0; ///< a cap; 0: none

  /// Names the look, for a cache.
  std::string key() const;
};

struct Size {
  int width = 0;
  int height = 0;
};

/// Even numbers of pixels for a frame of this look.
Size frameSize(const Look &look, double aspect);

} // namespace aimlvideo::emulator
