// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <aimlvideo/export.h>

namespace aimlvideo {

/// Whether a number can be an amount of money: it is finite and not negative.
AIMLVIDEO_API bool isAmount(double usd);

/// An amount of money as it is written in options, the environment and the service's headers: `0.50`, `12`, `1e-3`,
/// with nothing before or after it. Empty: the text is not an amount, such as `nan`, `-1`, `inf`, `0,5` or an empty
/// one.
AIMLVIDEO_API std::optional<double> parseUsd(std::string_view text);

/// The sum of what is known, rounded to six decimals to remove the error of adding doubles. Every total shown to people
/// is made here.
AIMLVIDEO_API double totalUsd(const std::vector<std::optional<double>> &amounts);

/// A sum for display: cents, and smaller parts if there are any.
AIMLVIDEO_API std::string usdText(double usd);

} // namespace aimlvideo
