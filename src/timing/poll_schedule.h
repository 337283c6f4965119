// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>

#include "timing/generation_times.h"

namespace aimlvideo {

/// When to ask again for the state of a generation that has taken `waited` so far. Pure: `seed` decides the jitter of
/// 5 %, and of 25 % in the first ten seconds, so that many pipelines do not ask at once.
///
/// Polls are as dense as completion is likely: to lower E[delay] + c E[polls], with c the delay that one poll is worth,
/// the pause at a time with the hazard h has to be sqrt(2 c / h) (Keller 1974, the limit of the inspection policy of
/// Barlow, Hunter and Proschan). Dynamic programming finds nothing that is better by more than 1 %.
///
/// At the very start it is 0.3, 0.6 and 1.2 s, then at most three times what was waited, since a small job may be done
/// at once. Never more than 15 s, and never less than 0.3 s, or 1 s once a minute has passed.
std::chrono::milliseconds pollPause(const GenerationTimes &times, std::chrono::milliseconds waited, uint32_t seed);

/// The same where the service has said when it wants to be asked: not before that, and up to 5 % later.
std::chrono::milliseconds pollPauseAsAsked(std::chrono::seconds asked, uint32_t seed);

} // namespace aimlvideo
