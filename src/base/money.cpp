// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/money.h>

#include <charconv>
#include <cmath>

#include <glib.h>

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

std::string usdText(double usd) {
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  std::string text = g_ascii_formatd(buffer, sizeof buffer, "%.4f", usd);
  while (text.ends_with('0') && text.size() - text.find('.') > 3)
    text.pop_back();
  return text + " USD";
}

} // namespace aimlvideo
