// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/money.h"

#include <charconv>
#include <cmath>

namespace aimlvideo {

bool isAmount(double usd) {
  return std::isfinite(usd) && usd >= 0;
}

std::optional<double> parseUsd(std::string_view text) {
  double usd = 0;
  const char *end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, usd);
  if (fault != std::errc() || rest != end || !isAmount(usd))
    return {};
  return usd;
}

} // namespace aimlvideo
