// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "http/session.h"

namespace aimlvideo {

/// What tells one version of the file at an http(s) address from another: its ETag, else its Last-Modified, from a
/// HEAD, or from a GET of one byte where the host refuses that. Empty: the host names none, or does not answer in
/// time. `publicOnly`: the address comes from somebody else than the user, see HttpRequest.
Task<std::optional<std::string>> validatorOf(HttpSession &session, const std::string &url, Cancellation &cancellation,
                                             Clock::time_point deadline, bool publicOnly = false);

} // namespace aimlvideo
