// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

#include <unistd.h>

namespace aimlvideo {

/// For a generator of random numbers, from the kernel: different in each process, forked children included. Not from
/// std::random_device, which asks the processor what it is, so that a virtual machine stops for it.
inline uint32_t randomSeed() {
  uint32_t seed = 0;
  (void)getentropy(&seed, sizeof seed); // never fails for so few bytes
  return seed;
}

} // namespace aimlvideo
