// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "base/cancellation.h"
#include "http/session.h"

namespace aimlvideo {

/// A list that the service shows to everybody: asked for without the key. What it answered before is kept in a folder
/// below `$XDG_CACHE_HOME/aimlvideo` and asked for by its ETag. The error is a phrase.
Task<tl::expected<std::string, std::string>> fetchListing(HttpSession &session, const std::string &url,
                                                          const char *folder, Cancellation &cancellation,
                                                          Clock::time_point deadline);

/// What was answered last, if it was asked for less than so many seconds ago. Reads a file. Empty: nothing is known.
std::optional<std::string> recalledListing(const std::string &url, const char *folder, int64_t seconds);

/// What the service says of the models that it gives up, see deprecationIn().
Task<tl::expected<std::string, std::string>> fetchDeprecations(HttpSession &session, const std::string &baseUrl,
                                                               Cancellation &cancellation, Clock::time_point deadline);

} // namespace aimlvideo
