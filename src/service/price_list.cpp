// SPDX-License-Identifier: LGPL-2.1-or-later
#include "service/price_list.h"

#include "base/json/node.h"
#include "service/listing.h"

namespace aimlvideo {

Task<tl::expected<GRefPtr<JsonNode>, std::string>> pricingOf(const std::string &baseUrl, const std::string &model,
                                                             HttpSession &session, Cancellation &cancellation,
                                                             Clock::time_point deadline) {
  const std::string url = baseUrl + pricePath(model);
  const auto body = co_await fetchListing(session, url, "prices", cancellation, deadline);
  if (!body)
    co_return tl::unexpected("the service's price list can't be fetched (" + body.error() + ")");
  co_return pricingIn(*body, model);
}

Task<tl::expected<Estimate, std::string>> priceOf(const Plan &plan, HttpSession &session, Cancellation &cancellation,
                                                  Clock::time_point deadline) {
  const auto pricing = co_await pricingOf(plan.baseUrl, plan.request.model, session, cancellation, deadline);
  if (!pricing)
    co_return tl::unexpected(pricing.error());
  // the canonical form says the same as the body without the megabytes of an image
  const auto request = json::parse(plan.request.canonical);
  if (!request)
    co_return tl::unexpected(std::string("the request can't be read"));
  co_return estimateFor(pricing->get(), json::objectIn(request->get()), plan.request.known);
}

Task<tl::expected<std::map<std::string, GRefPtr<JsonNode>>, std::string>> allPricings(const std::string &baseUrl,
                                                                                      bool fresh, HttpSession &session,
                                                                                      Cancellation &cancellation,
                                                                                      Clock::time_point deadline) {
  constexpr int64_t day = 24 * 60 * 60;
  const std::string url = baseUrl + allPricesPath;
  if (const auto known = recalledListing(url, "prices", fresh ? day : G_MAXINT64))
    co_return pricingsIn(*known);
  if (!fresh)
    co_return tl::unexpected(std::string("the service has not been asked for them yet"));
  const auto body = co_await fetchListing(session, url, "prices", cancellation, deadline);
  if (body)
    co_return pricingsIn(*body);
  if (const auto known = recalledListing(url, "prices", G_MAXINT64))
    co_return pricingsIn(*known);
  co_return tl::unexpected("the service's price list can't be fetched (" + body.error() + ")");
}

} // namespace aimlvideo
