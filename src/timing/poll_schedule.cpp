// SPDX-License-Identifier: LGPL-2.1-or-later
#include "timing/poll_schedule.h"

#include <algorithm>
#include <cmath>

namespace aimlvideo {

namespace {

using std::chrono::milliseconds;

constexpr double delayPerPoll = 0.0190; ///< seconds of delay that one poll is worth
constexpr double longestPause = 15;     ///< seconds, as all below
constexpr double shortestPause = 0.3;
constexpr double shortestLaterPause = 1;
constexpr double later = 60;
constexpr double doublingUntil = 2;
constexpr double jitter = 0.05;
// much at the start, where it costs nothing and parts those that began at once
constexpr double jitterAtStart = 0.25;
constexpr double start = 10;

/// 0 to 1, the same for the same numbers (SplitMix64).
double chance(uint64_t seed, uint64_t number) {
  uint64_t z = (seed << 32 | (number & 0xffffffff)) + 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return static_cast<double>((z ^ z >> 31) >> 11) * 0x1p-53;
}

/// Where the density of polls adds up to one. That looks ahead: a likely time that is near shortens the pause before
/// it.
double pauseByHazard(const GenerationTimes &times, double waited) {
  double polls = 0;
  double pause = 0;
  while (pause < longestPause) {
    // short steps at first, since a pause may be short
    const double step = std::clamp(pause / 4, 0.05, 1.0);
    const double density = std::sqrt(times.hazard(waited + pause + step / 2) / (2 * delayPerPoll));
    const double more = std::clamp(density, 1 / longestPause, 1 / shortestPause) * step;
    if (polls + more >= 1)
      return pause + step * (1 - polls) / more;
    polls += more;
    pause += step;
  }
  return longestPause;
}

double pauseAtStart(double waited) {
  return waited < doublingUntil ? waited + shortestPause : 3 * waited;
}

} // namespace

milliseconds pollPause(const GenerationTimes &times, milliseconds waited, uint32_t seed) {
  const double passed = static_cast<double>(std::max<int64_t>(waited.count(), 0)) / 1000;
  const double shortest = passed < later ? shortestPause : shortestLaterPause;
  const double most = passed < start ? jitterAtStart : jitter;
  const double wanted = std::min({pauseByHazard(times, passed), pauseAtStart(passed), longestPause / (1 + most)});
  const double spread = 1 + most * (2 * chance(seed, static_cast<uint64_t>(waited.count())) - 1);
  return milliseconds(std::llround(1000 * std::clamp(wanted * spread, shortest, longestPause)));
}

milliseconds pollPauseAsAsked(std::chrono::seconds asked, uint32_t seed) {
  const double seconds = std::max(static_cast<double>(asked.count()), shortestPause);
  return milliseconds(std::llround(1000 * seconds * (1 + jitter * chance(seed, static_cast<uint64_t>(asked.count())))));
}

} // namespace aimlvideo
