// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "emulator/wire/http.h"

namespace aimlvideo::emulator {

/// A span of time that a listing is asked for; microseconds since 1970.
struct Window {
  gint64 start = 0, end = 0;
};

enum class Periods {
  DayOrWeek, ///< 24h and 7d only
  Any,       ///< any number of hours or days
};

/// The query's `period`, or its `start` and `end`. The error is in the service's words.
tl::expected<Window, std::string> readWindow(const Request &request, Periods periods);

/// ISO 8601, in UTC if no zone is named; a date alone is its first moment.
std::optional<gint64> readIsoTime(const std::string &text);

} // namespace aimlvideo::emulator
