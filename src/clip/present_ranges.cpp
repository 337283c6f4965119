// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/present_ranges.h"

#include <algorithm>
#include <iterator>

namespace aimlvideo {

void PresentRanges::add(uint64_t begin, uint64_t end) {
  if (begin >= end)
    return;
  auto run = runs_.upper_bound(begin);
  if (run != runs_.begin() && std::prev(run)->second >= begin)
    --run; // it overlaps or touches from the left
  while (run != runs_.end() && run->first <= end) {
    begin = std::min(begin, run->first);
    end = std::max(end, run->second);
    bytes_ -= run->second - run->first;
    run = runs_.erase(run);
  }
  runs_.emplace_hint(run, begin, end);
  bytes_ += end - begin;
}

void PresentRanges::clear() {
  runs_.clear();
  bytes_ = 0;
}

uint64_t PresentRanges::presentUntil(uint64_t offset) const {
  const auto after = runs_.upper_bound(offset);
  if (after == runs_.begin())
    return offset;
  return std::max(std::prev(after)->second, offset);
}

std::optional<uint64_t> PresentRanges::nextRun(uint64_t offset) const {
  const auto after = runs_.upper_bound(offset);
  if (after == runs_.end())
    return {};
  return after->first;
}

} // namespace aimlvideo
