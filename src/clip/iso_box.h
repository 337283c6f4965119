// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <aimlvideo/spool.h>

namespace aimlvideo {

/// The header of a box of an ISO media file (ISO/IEC 14496-12).
struct IsoBox {
  static constexpr size_t largestHead = 16;

  std::array<char, 4> type{};
  uint64_t head = 8; ///< bytes before its contents
  uint64_t size = 0; ///< with its head; 0: to the end of the file

  std::string_view name() const { return {type.data(), type.size()}; }
  bool is(std::string_view name) const { return this->name() == name; }
};

/// The header that these bytes begin with; empty if there are too few of them, or they are none.
std::optional<IsoBox> isoBox(const unsigned char *bytes, size_t count);

/// The header of the box at `offset`; empty if it is not there yet or is none.
std::optional<IsoBox> isoBoxAt(const Spool &spool, uint64_t offset);

uint64_t bigEndian(const unsigned char *bytes, size_t count);

} // namespace aimlvideo
