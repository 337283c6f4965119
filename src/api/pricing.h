// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <json-glib/json-glib.h>
#include <tl/expected.hpp>

#include "api/catalogue.h"
#include "base/glib_ptr.h"

namespace aimlvideo {

/// What a request will cost by the service's price list.
struct Estimate {
  double usd = 0;
  std::string basis; ///< how it was worked out: `5 s at 0.091 USD per second`
};

/// Path and query of the price of one model.
std::string pricePath(std::string_view model);

/// The object `pricing` of a model, by id or alias, in the answer to pricePath(). The error is a sentence.
tl::expected<GRefPtr<JsonNode>, std::string> pricingIn(std::string_view body, std::string_view model);

/// Works out the price of a request's body. Where the list leaves a choice open, the dearest counts. The error says why
/// there is no estimate. `known` may be null.
tl::expected<Estimate, std::string> estimateFor(JsonNode *pricing, JsonObject *body, const Model *known);

/// A sum for people: cents, and smaller parts where there are some.
std::string usdText(double usd);

} // namespace aimlvideo
