// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "emulator/studio/picture.h"

namespace aimlvideo::emulator {

/// Small light letters on a dark, half transparent band.
class Caption {
public:
  /// One line of at most `maxWidth` pixels, cut with an ellipsis.
  Caption(const std::string &text, int fontSize, int maxWidth);

  int width() const { return width_; }
  int height() const { return height_; }
  void drawOn(const Canvas &canvas, int x, int y) const;

private:
  int width_ = 0;
  int height_ = 0;
  std::vector<uint8_t> letters_; ///< coverage, 0..255
};

/// The lines at the bottom of every frame: the prompt and the model on the left, the time code on the right.
class Captions {
public:
  Captions(const Look &look, Size size);
  void drawOn(const Canvas &canvas, double seconds) const;

private:
  int fontSize_;
  Caption prompt_;
  Caption model_;
};

} // namespace aimlvideo::emulator
