// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "emulator/wire/json.h"

namespace aimlvideo::emulator {

/// What the documentation says in words of several parameters together: one line for each rule that a body breaks, in
/// the manner of the service.
std::vector<std::string> findBrokenRules(const std::vector<Json> &rules, const Json &body);

} // namespace aimlvideo::emulator
