// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "emulator/studio/look.h"

namespace aimlvideo::emulator {

/// One plane of a picture in memory that belongs to someone else.
struct Plane {
  uint8_t *data = nullptr;
  int stride = 0;
  int width = 0;
  int height = 0;

  uint8_t *row(int y) const { return data + ptrdiff_t(y) * stride; }
};

/// A frame to draw on: Y, U and V, chroma at half the size (I420).
using Canvas = std::array<Plane, 3>;

/// A picture with its own memory, I420.
class Picture {
public:
  Picture(int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }
  double aspect() const { return double(width_) / height_; }
  Canvas canvas() const;

private:
  int width_;
  int height_;
  mutable std::array<std::vector<uint8_t>, 3> planes_;
};

/// Decodes PNG, JPEG or WebP. May take a while: for worker threads.
tl::expected<Picture, std::string> decodePicture(const Bytes &encoded);

/// As JPEG, for people to look at; empty if it fails.
Bytes encodeJpeg(const Picture &picture);

/// The middle of `picture` scaled to fill the size.
Picture fill(const Picture &picture, Size size);

} // namespace aimlvideo::emulator
