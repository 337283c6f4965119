// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace aimlvideo {

constexpr auto billingPath = "/v2/billing";

/// Money in the account.
struct Balance {
  double amount = 0;
  std::string currency;
};

/// Reads the answer to billingPath. The error is a sentence for people.
tl::expected<Balance, std::string> parseBalance(std::string_view body);

} // namespace aimlvideo
