// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/studio/painter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

namespace aimlvideo::emulator {

namespace {

constexpr size_t ridgeCount = 4;
constexpr float softEdge = 2; // pixels over which a ridge begins

struct Colour {
  float y = 0, u = 0, v = 0;
};

/// 0xRRGGBB in BT.709, studio range.
Colour colour(unsigned rgb) {
  const float r = float(rgb >> 16 & 255), g = float(rgb >> 8 & 255), b = float(rgb & 255);
  float luma = 0.2126F * r + 0.7152F * g + 0.0722F * b;
  return {16 + luma * 219 / 255, 128 + (b - luma) / 1.8556F * 224 / 255, 128 + (r - luma) / 1.5748F * 224 / 255};
}

Colour mix(const Colour &a, const Colour &b, float share) {
  return {a.y + (b.y - a.y) * share, a.u + (b.u - a.u) * share, a.v + (b.v - a.v) * share};
}

struct Palette {
  unsigned zenith, horizon, sun, far, near;
};

constexpr std::array<Palette, 6> palettes = {{{0x24315e, 0xf2a65a, 0xffe9b8, 0x8a6a8c, 0x1d2033},
                                              {0x3b6ea5, 0xd8ecf3, 0xfffbe0, 0x8fb3c4, 0x21483f},
                                              {0x1b2a49, 0xe27d7a, 0xffd9a0, 0x74557e, 0x161b2e},
                                              {0x5a4a8a, 0xffc3a0, 0xfff0d0, 0xa888b0, 0x2d2547},
                                              {0x0f4c5c, 0xf6d6a8, 0xfff6df, 0x5f9ea0, 0x12343b},
                                              {0x2c5f7c, 0xfbe3c0, 0xfffdf0, 0x9ab8a8, 0x2f4a2e}}};

/// A line of hills: three waves, drifting sideways.
struct Ridge {
  float base = 0, speed = 0;
  std::array<float, 3> height{}, length{}, phase{};

  float at(float x, float shift) const {
    float sum = base;
    for (size_t i = 0; i < height.size(); ++i)
      sum -= height[i] * std::sin((x + shift * speed) * length[i] + phase[i]);
    return sum;
  }
};

class ScenePainter : public Painter {
public:
  ScenePainter(uint64_t seed, Size size) : size_(size) {
    std::mt19937_64 random(seed);
    const auto between = [&](double low, double high) {
      return float(low + (high - low) * double(random() >> 11) * 0x1p-53);
    };
    const Palette &palette = palettes[random() % palettes.size()];
    zenith_ = colour(palette.zenith);
    horizon_ = colour(palette.horizon);
    sun_ = colour(palette.sun);
    sunX_ = between(0.25, 0.75);
    for (size_t i = 0; i < ridgeCount; ++i) {
      const float depth = float(i) / (ridgeCount - 1);
      ridges_[i].base = 0.58F + 0.13F * float(i);
      ridges_[i].speed = 0.03F + 0.25F * depth * depth;
      for (size_t wave = 0; wave < 3; ++wave) {
        ridges_[i].height[wave] = between(0.3, 1) * (0.05F + 0.01F * float(i)) / float(wave + 1);
        ridges_[i].length[wave] = between(2, 4) * float(wave * 2 + 1);
        ridges_[i].phase[wave] = between(0, 2 * std::numbers::pi);
      }
      colours_[i] = mix(mix(colour(palette.far), horizon_, 0.35F * (1 - depth)), colour(palette.near), depth);
    }
  }

  void paint(double time, const Canvas &canvas) override {
    time_ = float(time);
    traceRidges();
    for (int y = 0; y < size_.height; ++y)
      paintLuma(y, canvas[0].row(y));
    for (int y = 0; y < canvas[1].height; ++y)
      paintChroma(y, canvas[1].width, canvas[1].row(y), canvas[2].row(y));
  }

private:
  /// The height of each ridge in each column, in rows.
  void traceRidges() {
    const float aspect = float(size_.width) / float(size_.height);
    for (size_t i = 0; i < ridgeCount; ++i) {
      edges_[i].resize(size_t(size_.width));
      for (int x = 0; x < size_.width; ++x) {
        const float across = float(x) / float(size_.width) * aspect;
        edges_[i][size_t(x)] = ridges_[i].at(across, time_) * float(size_.height);
      }
    }
  }

  Colour sky(float height) const { return mix(zenith_, horizon_, std::min(1.F, height * 1.5F)); }

  /// How much of the sun's light falls on a point of the sky.
  float glow(int x, int y) const {
    float unit = 1 / float(size_.height);
    const float dx = (float(x) - sunX_ * float(size_.width)) * unit;
    const float dy = float(y) * unit - (0.34F + 0.12F * time_);
    const float distance = dx * dx + dy * dy;
    if (distance < 0.0036F)
      return 1;
    const float halo = std::max(0.F, 1 - distance * 3);
    return halo * halo * 0.55F;
  }

  Colour land(size_t ridge, float depth) const {
    // Mist gathers at the foot of the far hills.
    const float mist = std::min(0.5F, depth / float(size_.height) * 2.2F) * (1 - float(ridge) / ridgeCount);
    return mix(colours_[ridge], horizon_, mist);
  }

  /// The colour of a point: the nearest ridge that hides all behind it, and the soft edges of those before it.
  Colour at(int x, int y, const Colour &air) const {
    const auto depth = [&](size_t ridge) {
      return float(y) - edges_[ridge][size_t(x)];
    };
    size_t next = ridgeCount;
    while (next > 0 && depth(next - 1) < softEdge)
      next--;
    Colour point = next > 0 ? land(next - 1, depth(next - 1)) : mix(air, sun_, glow(x, y));
    for (; next < ridgeCount; ++next)
      if (const float within = depth(next); within > 0)
        point = mix(point, land(next, within), within / softEdge);
    return point;
  }

  void paintLuma(int y, uint8_t *row) const {
    Colour air = sky(float(y) / float(size_.height));
    for (int x = 0; x < size_.width; ++x)
      row[x] = static_cast<uint8_t>(at(x, y, air).y);
  }

  void paintChroma(int half, int width, uint8_t *u, uint8_t *v) const {
    const int y = std::min(2 * half, size_.height - 1);
    Colour air = sky(float(y) / float(size_.height));
    for (int i = 0; i < width; ++i) {
      Colour point = at(std::min(2 * i, size_.width - 1), y, air);
      u[i] = static_cast<uint8_t>(point.u);
      v[i] = static_cast<uint8_t>(point.v);
    }
  }

  Size size_;
  Colour zenith_, horizon_, sun_;
  float sunX_ = 0.5F;
  float time_ = 0;
  std::array<Ridge, ridgeCount> ridges_;
  std::array<Colour, ridgeCount> colours_;
  std::array<std::vector<float>, ridgeCount> edges_;
};

} // namespace

std::unique_ptr<Painter> makeScenePainter(uint64_t seed, Size size) {
  return std::make_unique<ScenePainter>(seed, size);
}

} // namespace aimlvideo::emulator
