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

double totalUsd(const std::vector<std::optional<double>> &amounts) {
  double total = 0;
  for (const auto &amount : amounts)
    total += amount.value_or(0);
  return std::round(total * 1e6) / 1e6;
}

} // namespace aimlvideo
