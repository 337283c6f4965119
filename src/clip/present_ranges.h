// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace aimlvideo {

/// Which bytes of a file are present: runs that neither overlap nor touch.
class PresentRanges {
public:
  /// The bytes from `begin` up to, and without, `end`.
  void add(uint64_t begin, uint64_t end);
  void clear();

  bool contains(uint64_t begin, uint64_t end) const { return presentUntil(begin) >= end; }
  /// The end of the run that holds `offset`; `offset` itself where that byte is missing.
  uint64_t presentUntil(uint64_t offset) const;
  /// The start of the first run behind `offset`; empty if none follows.
  std::optional<uint64_t> nextRun(uint64_t offset) const;
  uint64_t bytes() const { return bytes_; }

private:
  std::map<uint64_t, uint64_t> runs_; ///< begin -> end
  uint64_t bytes_ = 0;
};

} // namespace aimlvideo
