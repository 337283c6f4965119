// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/price_check.h"

#include "service/price_list.h"

namespace aimlvideo {

namespace {

/// The price, or why nobody knows it.
using Price = tl::expected<Estimate, std::string>;

/// Asks for the price and tells it.
Task<Price> estimate(const Context &context, const Plan &plan, HttpSession &session) {
  auto price = co_await priceOf(plan, session, context.cancellation, context.deadline);
  if (price)
    context.status().estimatedUsd = price->usd;
  context.narrator.note(price ? "the price will be about " + usdText(price->usd) + ": " + price->basis
                              : "the price is not known: " + price.error());
  co_return price;
}

Result<void> compare(const Price &price, const Allowance &allowance, unsigned mayHaveBought, bool byUri) {
  const std::string name = allowance.capName;
  const std::string limit = name + " (" + usdText(*allowance.cap) + ")";
  if (!price)
    return failure(ErrorKind::BadRequest, "the price is not known and " + limit + " is set", price.error(),
                   byUri ? "Nothing was bought. A URI buys nothing without an estimate; set the properties instead"
                         : "Nothing was bought. Unset " + name + " to buy without an estimate");
  if (mayHaveBought > 0 && price->usd * (1 + mayHaveBought) > *allowance.cap)
    return failure(ErrorKind::BadRequest, "it is not sent again, which might bring the cost above " + limit,
                   "it is estimated at " + usdText(price->usd) +
                       ", and the earlier submission may have been bought for as much",
                   "Raise " + name + " to allow both");
  if (price->usd > *allowance.cap)
    return failure(ErrorKind::BadRequest, "the price would be above " + limit,
                   "it is estimated at " + usdText(price->usd) + ", " + price->basis,
                   "Nothing was bought. Raise " + name + ", or choose a shorter clip or another model");
  return {};
}

} // namespace

Task<Result<std::optional<double>>> checkPrice(const Context &context, const Plan &plan, HttpSession &session,
                                               unsigned mayHaveBought, bool limited) {
  if (!plan.allowance.cap && !limited)
    co_return std::nullopt;
  const auto price = co_await estimate(context, plan, session);
  if (context.cancellation.cancelled())
    co_return stopped();
  if (plan.allowance.cap) {
    const auto allowed = compare(price, plan.allowance, mayHaveBought, !context.settings.uri.empty());
    if (!allowed)
      co_return allowed.failure();
  }
  if (!price)
    co_return failure(
        ErrorKind::BadRequest, "the price is not known and a limit on spending is set", price.error(),
        "Nothing was bought. `aimlvideo limit` shows the limits; without one, what has no price is bought "
        "as well");
  co_return price->usd;
}

Task<Result<void>> reportDryRun(const Context &context, const Plan &plan, HttpSession &session) {
  if (context.settings.fetchesOnly()) {
    context.narrator.note("this is a dry run: nothing would be bought");
    co_return {};
  }
  const auto price = co_await estimate(context, plan, session);
  if (context.cancellation.cancelled())
    co_return stopped();
  if (plan.allowance.cap) {
    if (const auto allowed = compare(price, plan.allowance, 0, !context.settings.uri.empty()); !allowed)
      co_return allowed;
  }
  context.narrator.note("this is a dry run: the request is right, nothing was bought");
  co_return {};
}

} // namespace aimlvideo
