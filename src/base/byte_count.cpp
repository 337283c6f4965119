// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/byte_count.h"

#include <charconv>
#include <cmath>
#include <string>

#include <glib.h>

namespace aimlvideo {

namespace {

/// Bytes in a unit; empty: there is no such unit.
std::optional<double> bytesIn(std::string_view unit) {
  std::string letters;
  for (const char letter : unit)
    letters += g_ascii_tolower(letter);
  if (letters.ends_with('b'))
    letters.pop_back();
  if (letters.empty())
    return 1;
  const size_t power = std::string_view("kmgt").find(letters.front());
  if (power == std::string_view::npos || (letters.size() > 1 && letters.substr(1) != "i"))
    return {};
  return std::pow(letters.size() > 1 ? 1024.0 : 1000.0, static_cast<double>(power + 1));
}

} // namespace

std::optional<uint64_t> parseByteCount(std::string_view text) {
  const size_t length = text.find_first_not_of("0123456789.");
  const std::string_view number = text.substr(0, length);
  std::string_view unit = length == std::string_view::npos ? "" : text.substr(length);
  if (unit.size() > 1 && unit.front() == ' ')
    unit.remove_prefix(1);
  uint64_t whole = 0;
  if (unit.empty()) { // which a double would round
    const auto [rest, fault] = std::from_chars(number.data(), number.data() + number.size(), whole);
    const bool isAll = fault == std::errc() && rest == number.data() + number.size();
    return isAll && whole <= INT64_MAX ? std::optional(whole) : std::nullopt;
  }
  double count = 0;
  const auto [rest, fault] = std::from_chars(number.data(), number.data() + number.size(), count);
  const auto each = bytesIn(unit);
  constexpr double most = 9223372036854774784.0; // the largest below 2^63
  if (fault != std::errc() || rest != number.data() + number.size() || !each || count * *each > most)
    return {};
  return static_cast<uint64_t>(std::llround(count * *each));
}

} // namespace aimlvideo
