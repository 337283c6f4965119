// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace aimlvideo::emulator {

constexpr int soundRate = 48000;

/// A quiet chord that swells and fades, stereo, interleaved; the text picks its key.
std::vector<float> synthesise(const std::string &text, double seconds);

} // namespace aimlvideo::emulator
