// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/iso_box.h"

#include <algorithm>

namespace aimlvideo {

uint64_t bigEndian(const unsigned char *bytes, size_t count) {
  uint64_t number = 0;
  for (size_t i = 0; i < count; ++i)
    number = number << 8 | bytes[i];
  return number;
}

std::optional<IsoBox> isoBox(const unsigned char *bytes, size_t count) {
  if (count < 8)
    return {};
  IsoBox box;
  std::copy_n(bytes + 4, 4, box.type.begin());
  box.size = bigEndian(bytes, 4);
  if (box.size == 1) {
    box.head = 16;
    box.size = count >= IsoBox::largestHead ? bigEndian(bytes + 8, 8) : 1;
  }
  if (box.size != 0 && box.size < box.head)
    return {};
  return box;
}

std::optional<IsoBox> isoBoxAt(const Spool &spool, uint64_t offset) {
  std::array<unsigned char, IsoBox::largestHead> head{};
  const size_t there = std::min<uint64_t>(spool.presentUntil(offset) - offset, head.size());
  return isoBox(head.data(), spool.read(offset, head.data(), there).value_or(0));
}

} // namespace aimlvideo
