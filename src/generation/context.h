// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <random>

#include <aimlvideo/settings.h>

#include "base/cancellation.h"
#include "generation/narrator.h"
#include "generation/patience.h"

namespace aimlvideo {

/// What all steps of one generation go by, and what they tell its owner through. What a step needs besides is a
/// parameter, and what it has found is its result. For the network thread.
struct Context {
  const Settings &settings;
  const Patience &patience;
  Cancellation &cancellation;
  Narrator &narrator;
  std::minstd_rand &random; ///< for the jitter of pauses
  const uint32_t seed;      ///< of the schedule of polls
  Clock::time_point deadline;

  Status &status() const { return narrator.status; }
};

/// The user stopped the generation.
Failure stopped();

} // namespace aimlvideo
