// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/price_check.h"

#include "service/price_list.h"

namespace aimlvideo {

namespace {

/// Asks for the price and tells it.
Task<tl::expected<Estimate, std::string>> estimate(Run &run) {
  auto price = co_await priceOf(run.plan, *run.session, run.cancellation, run.deadline);
  if (price)
    run.status().estimatedUsd = price->usd;
  run.narrator.note(price ? "the price will be about " + usdText(price->usd) + ": " + price->basis
                          : "the price is not known: " + price.error());
  co_return price;
}

Result<void> compare(const tl::expected<Estimate, std::string> &price, const Run &run) {
  const Allowance &allowance = run.plan.allowance;
  const std::string name = allowance.capName;
  const std::string limit = name + " (" + usdText(*allowance.cap) + ")";
  if (!price)
    return failure(ErrorKind::BadRequest, "the price is not known and " + limit + " is set", price.error(),
                   run.settings.uri.empty()
                       ? "Nothing was bought. Unset " + name + " to buy without an estimate"
                       : "Nothing was bought. A URI buys nothing without an estimate; set the properties instead");
  if (run.mayHaveBought > 0 && price->usd * (1 + run.mayHaveBought) > *allowance.cap)
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

Task<Result<void>> checkPrice(Run &run) {
  if (!run.plan.allowance.cap)
    co_return {};
  const auto price = co_await estimate(run);
  if (run.cancellation.cancelled())
    co_return stopped();
  co_return compare(price, run);
}

Task<Result<void>> reportDryRun(Run &run) {
  if (run.settings.fetchesOnly()) {
    run.narrator.note("this is a dry run: nothing would be bought");
    co_return {};
  }
  const auto price = co_await estimate(run);
  if (run.cancellation.cancelled())
    co_return stopped();
  if (run.plan.allowance.cap) {
    if (const auto allowed = compare(price, run); !allowed)
      co_return allowed;
  }
  run.narrator.note("this is a dry run: the request is right, nothing was bought");
  co_return {};
}

} // namespace aimlvideo
