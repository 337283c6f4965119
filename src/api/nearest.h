// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace aimlvideo {

/// How many letters have to be inserted, dropped, replaced or swapped with their neighbour to turn one word into the
/// other. Case counts for nothing, nor which of `-`, `_`, `.`, `/` and blank separates.
size_t editDistance(std::string_view first, std::string_view second);

/// The candidate that a misspelt word most likely means; empty where none is near.
std::string nearestTo(std::string_view word, const std::vector<std::string> &candidates);

/// The candidate of which a word is surely a misspelling, since two letters at most are wrong; empty: it is none.
std::string misspeltFrom(std::string_view word, const std::vector<std::string> &candidates);

} // namespace aimlvideo
