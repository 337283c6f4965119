// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace aimlvideo::test {

/// The most significant byte first.
inline std::string number(uint64_t value, size_t bytes = 4) {
  std::string text;
  for (size_t i = bytes; i > 0; --i)
    text += static_cast<char>(value >> (8 * (i - 1)));
  return text;
}

/// A box of an ISO media file.
inline std::string box(const std::string &type, const std::string &contents = "") {
  return number(8 + contents.size()) + type + contents;
}

} // namespace aimlvideo::test
