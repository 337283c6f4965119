// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>

#include <tl/expected.hpp>

#include "api/pricing.h"
#include "base/cancellation.h"
#include "http/session.h"
#include "settings/plan.h"

namespace aimlvideo {

/// What a prepared request will cost. The price list is asked for without the key; what it answered before is kept in
/// `$XDG_CACHE_HOME/aimlvideo/prices` and asked for by its ETag. The error is a sentence that says why nobody knows.
Task<tl::expected<Estimate, std::string>> priceOf(const Plan &plan, HttpSession &session, Cancellation &cancellation,
                                                  Clock::time_point deadline);

/// What the list says of one model, as estimateFor() takes it: for those who ask about many requests.
Task<tl::expected<GRefPtr<JsonNode>, std::string>> pricingOf(const std::string &baseUrl, const std::string &model,
                                                             HttpSession &session, Cancellation &cancellation,
                                                             Clock::time_point deadline);

/// The prices of all models, by name: as they were a day ago at most if `fresh`, and then asked for if need be; else as
/// they were known last. The error is a sentence.
Task<tl::expected<std::map<std::string, GRefPtr<JsonNode>>, std::string>> allPricings(const std::string &baseUrl,
                                                                                      bool fresh, HttpSession &session,
                                                                                      Cancellation &cancellation,
                                                                                      Clock::time_point deadline);

} // namespace aimlvideo
