// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/studio/sound.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>

namespace aimlvideo::emulator {

namespace {

constexpr float loudness = 0.055F; // of each tone
constexpr double fadeSeconds = 0.6;

/// A tone as a rotating pointer: one multiplication a sample instead of one sine.
class Tone {
public:
  explicit Tone(double frequency) {
    double step = 2 * std::numbers::pi * frequency / soundRate;
    cosine_ = std::cos(step);
    sine_ = std::sin(step);
  }

  double next() {
    const double x = x_ * cosine_ - y_ * sine_;
    y_ = x_ * sine_ + y_ * cosine_;
    x_ = x;
    return y_;
  }

private:
  double cosine_, sine_;
  double x_ = 1, y_ = 0;
};

} // namespace

std::vector<float> synthesise(const std::string &text, double seconds) {
  constexpr std::array<double, 5> keys = {196.0, 220.0, 174.61, 164.81, 146.83};
  const double root = keys[std::hash<std::string>()(text) % keys.size()];
  std::array<Tone, 4> tones = {Tone(root), Tone(root * 1.5), Tone(root * 1.25 * 2), Tone(root * 2.002)};
  std::array<Tone, 4> swells = {Tone(0.11), Tone(0.17), Tone(0.23), Tone(0.31)};
  const auto count = static_cast<size_t>(seconds * soundRate);
  std::vector<float> samples(count * 2);
  for (size_t i = 0; i < count; ++i) {
    const double here = double(i) / soundRate;
    const auto fade = static_cast<float>(std::clamp(std::min(here, seconds - here) / fadeSeconds, 0.0, 1.0));
    for (size_t tone = 0; tone < tones.size(); ++tone) {
      const auto value = static_cast<float>(tones[tone].next() * (0.65 + 0.35 * swells[tone].next())) * loudness * fade;
      float right = 0.3F + 0.4F * float(tone % 2);
      samples[2 * i] += value * (1 - right) * 2;
      samples[2 * i + 1] += value * right * 2;
    }
  }
  return samples;
}

} // namespace aimlvideo::emulator
