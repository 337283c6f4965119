// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

namespace aimlvideo::cli {

/// The first frames of outputs as small JPEG pictures, in the order of the paths; an empty path, or a file that can't
/// be shown, has an empty one. Takes as many threads as there are processors.
std::vector<std::string> thumbnailsOf(const std::vector<std::string> &paths);

} // namespace aimlvideo::cli
