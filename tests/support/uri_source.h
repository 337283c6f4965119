// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aimlvideo::test {

/// Lets players that take nothing but an address play from an aimlvideosrc: `test-clip://generation/clip.mp4` fetches
/// the generation `gen/1:model` of the service at `baseUrl`.
void registerUriSource(const std::string &baseUrl);

} // namespace aimlvideo::test
