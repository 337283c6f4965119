// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/studio/mp4.h"

#include <algorithm>
#include <string_view>

namespace aimlvideo::emulator {

namespace {

uint64_t readNumber(std::span<const uint8_t> bytes) {
  uint64_t number = 0;
  for (const uint8_t byte : bytes)
    number = number << 8 | byte;
  return number;
}

/// mvhd, tkhd and mdhd start alike: version, flags, then both times, in 4 bytes each or, in version 1, in 8.
void clearHeader(std::span<uint8_t> body) {
  if (body.size() < 20)
    return;
  std::ranges::fill(body.subspan(4, body[0] == 1 ? 16 : 8), uint8_t(0));
}

} // namespace

void clearTimes(std::span<uint8_t> file) {
  while (file.size() >= 8) {
    const std::string_view type(reinterpret_cast<const char *>(file.data()) + 4, 4);
    uint64_t size = readNumber(file.first(4));
    size_t header = 8;
    if (size == 1 && file.size() >= 16) {
      size = readNumber(file.subspan(8, 8));
      header = 16;
    }
    if (size == 0)
      size = file.size();
    if (size < header || size > file.size())
      return;
    const auto body = file.subspan(header, size - header);
    if (type == "moov" || type == "trak" || type == "mdia")
      clearTimes(body);
    else if (type == "mvhd" || type == "tkhd" || type == "mdhd")
      clearHeader(body);
    file = file.subspan(size);
  }
}

} // namespace aimlvideo::emulator
