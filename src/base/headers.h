// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace aimlvideo {

/// Headers of HTTP, name and value, in their order.
using Headers = std::vector<std::pair<std::string, std::string>>;

} // namespace aimlvideo
