// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/allowance.h"

#include <cmath>
#include <optional>

#include "generation/settings.h"

namespace aimlvideo {

namespace {

/// A longer URI, one with an image inside, would hide the rest of an error.
constexpr size_t longestShownUri = 1500;

/// The amount in the environment; nothing: it says none.
Result<std::optional<double>> amountInEnvironment() {
  const char *text = g_getenv(uriCostVariable);
  if (!text || !*text)
    return std::optional<double>();
  char *end = nullptr;
  const double amount = g_ascii_strtod(text, &end);
  if (*end != '\0' || !std::isfinite(amount) || amount < 0)
    return failure(ErrorKind::BadRequest, std::string("$") + uriCostVariable + " can't be used", "it is no amount",
                   "Set it to the most that a clip may cost in USD, such as 0.50; nothing was bought");
  return std::optional(amount);
}

} // namespace

Result<Allowance> allowanceOf(const Settings &settings) {
  Allowance allowance;
  allowance.cap = settings.maximumCost;
  if (settings.uri.empty())
    return allowance;
  const auto amount = amountInEnvironment();
  if (!amount)
    return tl::unexpected(amount.error());
  if (*amount && (**amount < allowance.cap || allowance.cap == 0)) {
    allowance.cap = **amount;
    allowance.capName = uriCostVariable;
  }
  allowance.mayBuy = allowance.cap > 0;
  return allowance;
}

std::string howToAllow(const Settings &settings) {
  const std::string variable = uriCostVariable;
  const std::string uri = settings.uri.size() <= longestShownUri ? settings.uri : "URI";
  return "To allow it, set the environment variable " + variable +
         " to the most that one clip may cost in USD, or max-cost in source-setup; such as `" + variable +
         "=1 gst-launch-1.0 '" + uri + "' ! fakesink`, after which the URI plays without it";
}

} // namespace aimlvideo
