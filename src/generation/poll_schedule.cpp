// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/poll_schedule.h"

#include <algorithm>

namespace aimlvideo {

using namespace std::chrono_literals;

std::chrono::milliseconds pollPause(std::chrono::milliseconds waited, std::minstd_rand &random) {
  const auto early = std::max<std::chrono::milliseconds>(300ms, waited);
  const auto steady = std::clamp<std::chrono::milliseconds>(waited / 50, 1000ms, 10'000ms);
  const auto pause = std::min(early, steady);
  const double factor = std::uniform_real_distribution(0.9, 1.1)(random);
  return std::chrono::milliseconds(static_cast<long>(static_cast<double>(pause.count()) * factor));
}

} // namespace aimlvideo
