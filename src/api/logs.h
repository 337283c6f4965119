// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "api/reply.h"

namespace aimlvideo {

/// One row of the service's log of requests.
struct LogEntry {
  std::string clientRequestId; ///< what the request carried in `X-Client-Request-Id`; empty: nothing
  std::string generationId;    ///< `inference_id`
  bool failed = false;         ///< a failed request is not billed
  Usage usage;
};

/// The most entries that a page has.
constexpr unsigned logPageSize = 100;

/// Path and query of one page, newest entries first. `period` is `24h` or `7d` before the service's own present.
std::string logsPath(const char *period, unsigned offset);

/// Reads a page. The error is a sentence for people.
tl::expected<std::vector<LogEntry>, std::string> parseLogs(std::string_view body);

} // namespace aimlvideo
