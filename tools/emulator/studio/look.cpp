// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/studio/look.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/sha256.h"

namespace aimlvideo::emulator {

std::string Look::key() const {
  const auto hash = [](const std::optional<MediaReference> &media) {
    return media ? media->sha256 : "-";
  };
  char numbers[160];
  std::snprintf(numbers, sizeof numbers, "%.4f %d %.3f %d %d %d %d", aspect, area, seconds, framesPerSecond, sound,
                static_cast<int>(layout), longestSide);
  return sha256(model + '\n' + hash(firstImage) + '\n' + hash(lastImage) + '\n' + numbers + '\n' + prompt);
}

Size frameSize(const Look &look, double aspect) {
  double width = std::sqrt(look.area * aspect);
  double height = width / aspect;
  if (look.longestSide > 0)
    if (const double excess = std::max(width, height) / look.longestSide; excess > 1) {
      width /= excess;
      height /= excess;
    }
  const auto even = [](double length) {
    return std::max(16, 2 * static_cast<int>(std::lround(length / 2)));
  };
  return {even(width), even(height)};
}

} // namespace aimlvideo::emulator
