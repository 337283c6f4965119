// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <span>

namespace aimlvideo::emulator {

/// Clears the creation and modification times that the muxer took from the clock, so that the same look gives the same
/// bytes. `file` is a whole MP4.
void clearTimes(std::span<uint8_t> file);

} // namespace aimlvideo::emulator
