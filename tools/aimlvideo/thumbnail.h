// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <aimlvideo/mark.h>

namespace aimlvideo::cli {

/// What an output looks like, and what it says of its origin.
struct Thumbnail {
  std::string jpeg;              ///< its first frame, at most 400 pixels wide and high; empty: it can't be shown
  std::optional<double> seconds; ///< its length, of a file that has one
  std::optional<MarkFacts> facts;
};

/// In the order of the paths; that of an empty path is empty. Takes as many threads as there are processors.
std::vector<Thumbnail> thumbnailsOf(const std::vector<std::string> &paths);

} // namespace aimlvideo::cli
