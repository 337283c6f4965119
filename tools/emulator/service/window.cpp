// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/window.h"

#include <charconv>

namespace aimlvideo::emulator {

namespace {

constexpr gint64 hour = gint64(3600) * G_USEC_PER_SEC;
constexpr gint64 day = 24 * hour;
constexpr gint64 longestWindow = 92 * day;

/// 24h, 7d; nothing if it is no period.
std::optional<gint64> readPeriod(const std::string &text) {
  unsigned count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count == 0 || end + 1 != text.data() + text.size() || (*end != 'h' && *end != 'd'))
    return std::nullopt;
  return count * (*end == 'h' ? hour : day);
}

} // namespace

std::optional<gint64> readIsoTime(const std::string &text) {
  const auto utc = adopt(g_time_zone_new_utc());
  auto time = adopt(g_date_time_new_from_iso8601(text.c_str(), utc.get()));
  if (!time)
    time = adopt(g_date_time_new_from_iso8601((text + "T00:00:00").c_str(), utc.get()));
  if (!time)
    return std::nullopt;
  return g_date_time_to_unix(time.get()) * G_USEC_PER_SEC + g_date_time_get_microsecond(time.get());
}

tl::expected<Window, std::string> readWindow(const Request &request, Periods periods) {
  const auto period = request.parameter("period"), start = request.parameter("start"), end = request.parameter("end");
  if (period ? start || end : !start || !end)
    return tl::unexpected<std::string>("Provide either period or both start and end");
  if (period) {
    const auto length = readPeriod(*period);
    if (periods == Periods::DayOrWeek && *period != "24h" && *period != "7d")
      return tl::unexpected("period: Invalid enum value. Expected '24h' | '7d', received '" + *period + "'");
    if (!length)
      return tl::unexpected("period: Invalid period '" + *period + "'");
    if (*length > longestWindow)
      return tl::unexpected<std::string>("The window must not exceed 92 days");
    const gint64 now = g_get_real_time();
    return Window{now - *length, now};
  }
  const auto from = readIsoTime(*start), to = readIsoTime(*end);
  if (!from || !to)
    return tl::unexpected<std::string>(from ? "end: Invalid datetime" : "start: Invalid datetime");
  if (*from >= *to)
    return tl::unexpected<std::string>("start must be before end");
  if (*to - *from > longestWindow)
    return tl::unexpected<std::string>("The window must not exceed 92 days");
  return Window{*from, *to};
}

} // namespace aimlvideo::emulator
