// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/retry.h"

#include <algorithm>
#include <cmath>

#include <libsoup/soup.h>

namespace aimlvideo {

using namespace std::chrono;

milliseconds RetryPolicy::pauseBefore(unsigned number, std::optional<seconds> retryAfter,
                                      std::minstd_rand &random) const {
  const unsigned doublings = std::min(number >= 2 ? number - 2 : 0U, 20U);
  const double pause =
      std::min(static_cast<double>(first.count()) * static_cast<double>(1U << doublings), double(longest.count()));
  const milliseconds spread(std::llround(pause * std::uniform_real_distribution(0.75, 1.25)(random)));
  if (!retryAfter)
    return spread;
  const double asked = static_cast<double>(milliseconds(*retryAfter).count());
  const milliseconds patient(std::llround(asked * std::uniform_real_distribution(1.0, 1.1)(random)));
  return std::max(spread, patient);
}

std::optional<seconds> parseRetryAfter(const std::string &value, system_clock::time_point now) {
  constexpr gint64 longest = 24 * 60 * 60;
  guint64 count = 0;
  if (g_ascii_string_to_unsigned(value.c_str(), 10, 0, G_MAXINT64, &count, nullptr))
    return seconds(std::min<gint64>(static_cast<gint64>(count), longest));
  GDateTime *date = soup_date_time_new_from_http_string(value.c_str());
  if (!date)
    return {};
  const gint64 wanted = g_date_time_to_unix(date);
  g_date_time_unref(date);
  return seconds(std::clamp<gint64>(wanted - system_clock::to_time_t(now), 0, longest));
}

} // namespace aimlvideo
