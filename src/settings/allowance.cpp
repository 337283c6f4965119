// SPDX-License-Identifier: LGPL-2.1-or-later
#include "settings/allowance.h"

#include <aimlvideo/money.h>
#include <aimlvideo/settings.h>

namespace aimlvideo {

namespace {

/// A longer URI, one with an image inside, would hide the rest of an error.
constexpr size_t longestShownUri = 1500;

/// The amount in a variable of the environment; empty: it says none.
Result<std::optional<double>> amountIn(const char *variable) {
  const char *text = g_getenv(variable);
  if (!text || !*text)
    return std::optional<double>();
  const auto amount = parseUsd(text);
  if (!amount)
    return failure(ErrorKind::BadRequest, std::string("$") + variable + " can't be used", "it is not an amount",
                   "Set it to the most that a clip may cost in USD, such as 0.50; nothing was bought");
  return amount;
}

void lower(Allowance &allowance, const std::optional<double> &cap, const char *name) {
  if (!cap || (allowance.cap && *allowance.cap <= *cap))
    return;
  allowance.cap = cap;
  allowance.capName = name;
}

} // namespace

Result<Allowance> allowanceOf(const Settings &settings) {
  // a NaN is above nothing and passes every other check
  if (!isAmount(settings.maximumCost))
    return failure(ErrorKind::BadRequest, "max-cost can't be used", "it is not an amount",
                   "Set it to the most that the clip may cost in USD, such as 0.50; nothing was bought");
  Allowance allowance;
  if (settings.maximumCost > 0)
    allowance.cap = settings.maximumCost;
  if (!settings.uri.empty()) {
    const auto ofUri = amountIn(uriCostVariable);
    if (!ofUri)
      return tl::unexpected(ofUri.error());
    lower(allowance, *ofUri, uriCostVariable);
    allowance.mayBuy = allowance.cap.value_or(0) > 0;
  }
  const auto ofAll = amountIn(costVariable);
  if (!ofAll)
    return tl::unexpected(ofAll.error());
  lower(allowance, *ofAll, costVariable);
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
