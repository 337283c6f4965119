// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include <aimlvideo/account.h>

namespace aimlvideo {

constexpr auto billingPath = "/v2/billing";

/// Reads the answer to billingPath. The error is a sentence for people.
tl::expected<Balance, std::string> parseBalance(std::string_view body);

} // namespace aimlvideo
