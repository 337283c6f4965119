// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace aimlvideo {

/// A number of bytes as people write it: `1000`, `500MB`, `1.5G`, `8GiB`. `k`, `M`, `G` and `T` are powers of 1000, and
/// with an `i` of 1024; case does not count, and one blank may stand before the unit. Empty: it is no such number, or
/// above 2^63 - 1.
std::optional<uint64_t> parseByteCount(std::string_view text);

} // namespace aimlvideo
