// SPDX-License-Identifier: LGPL-2.1-or-later
// A model's price list: the model in the first line, the request's body in the second, then the list.
#include "api/pricing.h"

#include <cmath>

#include "base/json/node.h"
#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text = textOf(data, size);
  const std::string_view model = cutLine(text);
  const auto request = json::parse(cutLine(text));
  const auto pricing = pricingIn(text, model);
  if (!pricing) {
    must_hold(isReadable(pricing.error()) && !pricing.error().empty());
    return 0;
  }
  const auto estimate = estimateFor(pricing->get(), request ? json::objectIn(request->get()) : nullptr,
                                    Catalogue::instance().find(model));
  if (!estimate) {
    must_hold(isReadable(estimate.error()) && !estimate.error().empty());
    return 0;
  }
  // a cap on the cost is compared with it
  must_hold(std::isfinite(estimate->usd) && estimate->usd >= 0);
  must_hold(isReadable(estimate->basis) && !estimate->basis.empty());
  must_hold(usdText(estimate->usd).ends_with(" USD"));
  return 0;
}
