// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <string_view>

#include <json-glib/json-glib.h>
#include <tl/expected.hpp>

#include <aimlvideo/account.h>
#include <aimlvideo/money.h>

#include "api/catalogue.h"
#include "base/glib_ptr.h"

namespace aimlvideo {

/// Path and query of the price of one model.
std::string pricePath(std::string_view model);

/// The object `pricing` of a model, by id or alias, in the answer to pricePath(). The error is a sentence.
tl::expected<GRefPtr<JsonNode>, std::string> pricingIn(std::string_view body, std::string_view model);

/// Why there is no price of a model that the service does not have.
constexpr auto notListed = "the service does not list it";

/// The objects `pricing` of all models in a list, by id and by alias. The error is a sentence.
tl::expected<std::map<std::string, GRefPtr<JsonNode>>, std::string> pricingsIn(std::string_view body);

/// The path and query of the prices of all video models.
constexpr auto allPricesPath = "/v1/models?output_modalities=video&include=pricing";

/// Works out the price of a request's body. Where the list leaves a choice open, the dearest counts. The error says why
/// there is no estimate. `known` may be null.
tl::expected<Estimate, std::string> estimateFor(JsonNode *pricing, JsonObject *body, const Model *known);

} // namespace aimlvideo
