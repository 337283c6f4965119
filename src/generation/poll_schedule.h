// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <random>

namespace aimlvideo {

/// When to ask for the state of a generation again.
///
/// Quick at the very start, since a small job may be done at once; then spaced by 2 % of the time waited so far, from
/// 1 s to 10 s: the delay until completion is noticed stays near 1 % of the wait. 10 % of jitter, so that many
/// pipelines do not ask at once.
std::chrono::milliseconds pollPause(std::chrono::milliseconds waited, std::minstd_rand &random);

} // namespace aimlvideo
