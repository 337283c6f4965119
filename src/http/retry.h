// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <optional>
#include <random>
#include <string>

namespace aimlvideo {

/// How long to wait between attempts: exponential, with jitter, capped.
struct RetryPolicy {
  std::chrono::milliseconds first{1000};
  std::chrono::milliseconds longest{30'000};
  unsigned attempts = 0; ///< the first one included; 0: as long as the deadline allows

  /// The pause before attempt `number` (2 is the first repetition), spread over 75 % to 125 %.
  /// What the server asked for is a lower bound and is spread upwards only.
  std::chrono::milliseconds pauseBefore(unsigned number, std::optional<std::chrono::seconds> retryAfter,
                                        std::minstd_rand &random) const;
};

/// The header Retry-After: seconds or an HTTP date; empty if it can't be read. At most a day.
std::optional<std::chrono::seconds> parseRetryAfter(const std::string &value,
                                                    std::chrono::system_clock::time_point now);

} // namespace aimlvideo
