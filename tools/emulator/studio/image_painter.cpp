// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/studio/painter.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace aimlvideo::emulator {

namespace {

constexpr double closest = 1.14; // the zoom at the end of the move
constexpr double drift = 0.25;   // how far the move leaves the middle, as a share of the free border

/// Positions along one axis, 1/256 of a sample.
struct Axis {
  Axis(int length, double zoom, double offset) : index(size_t(length)), weight(size_t(length)) {
    const double free = length - length / zoom;
    const double start = free * (0.5 + offset);
    for (int i = 0; i < length; ++i) {
      const double position = std::clamp(start + (i + 0.5) / zoom - 0.5, 0.0, length - 1.0);
      index[size_t(i)] = std::min(static_cast<int>(position), std::max(0, length - 2));
      weight[size_t(i)] = static_cast<int>((position - index[size_t(i)]) * 256);
    }
  }

  std::vector<int> index;
  std::vector<int> weight;
};

/// One picture seen by a camera that has come nearer by `zoom`.
void zoomPlane(const Plane &from, const Plane &to, double zoom, double offset) {
  if (from.width < 2 || from.height < 2)
    return;
  Axis horizontal(to.width, zoom, offset), vertical(to.height, zoom, -offset);
  std::vector<uint16_t> mixed(size_t(from.width));
  for (int y = 0; y < to.height; ++y) {
    const uint8_t *above = from.row(vertical.index[size_t(y)]);
    const uint8_t *below = above + from.stride;
    const int part = vertical.weight[size_t(y)];
    for (int x = 0; x < from.width; ++x)
      mixed[size_t(x)] = static_cast<uint16_t>(above[x] * (256 - part) + below[x] * part);
    uint8_t *out = to.row(y);
    for (int x = 0; x < to.width; ++x) {
      const uint16_t *pair = &mixed[size_t(horizontal.index[size_t(x)])];
      const unsigned right = unsigned(horizontal.weight[size_t(x)]);
      out[x] = static_cast<uint8_t>((pair[0] * (256 - right) + pair[1] * right + 32768) >> 16);
    }
  }
}

void zoomPicture(const Picture &picture, const Canvas &canvas, double zoom, double offset) {
  Canvas from = picture.canvas();
  for (size_t i = 0; i < canvas.size(); ++i)
    zoomPlane(from[i], canvas[i], zoom, offset);
}

void mixInto(const Canvas &canvas, const Canvas &other, int share) {
  for (size_t i = 0; i < canvas.size(); ++i)
    for (int y = 0; y < canvas[i].height; ++y) {
      uint8_t *out = canvas[i].row(y);
      const uint8_t *in = other[i].row(y);
      for (int x = 0; x < canvas[i].width; ++x)
        out[x] = static_cast<uint8_t>((out[x] * (256 - share) + in[x] * share + 128) >> 8);
    }
}

/// 0 to 1 with a gentle start and a gentle stop.
double ease(double time) {
  time = std::clamp(time, 0.0, 1.0);
  return time * time * (3 - 2 * time);
}

class ImagePainter : public Painter {
public:
  ImagePainter(Picture first, std::optional<Picture> last)
      : first_(std::move(first)), last_(std::move(last)), scratch_(first_.width(), first_.height()) {}

  void paint(double time, const Canvas &canvas) override {
    const double nearness = (closest - 1) * ease(time);
    if (!last_)
      return zoomPicture(first_, canvas, 1 + nearness, drift * ease(time));
    // Come nearer to the first picture while the last one, seen from near, withdraws to its full size.
    const double left = (closest - 1) * ease(1 - time);
    const int share = static_cast<int>(256 * ease((time - 0.35) / 0.3));
    if (share < 256)
      zoomPicture(first_, canvas, 1 + nearness, drift * ease(time));
    if (share == 256)
      return zoomPicture(*last_, canvas, 1 + left, drift * ease(1 - time));
    if (share > 0) {
      zoomPicture(*last_, scratch_.canvas(), 1 + left, drift * ease(1 - time));
      mixInto(canvas, scratch_.canvas(), share);
    }
  }

private:
  Picture first_;
  std::optional<Picture> last_;
  Picture scratch_;
};

} // namespace

std::unique_ptr<Painter> makeImagePainter(Picture first, std::optional<Picture> last) {
  return std::make_unique<ImagePainter>(std::move(first), std::move(last));
}

} // namespace aimlvideo::emulator
