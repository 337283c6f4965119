// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>

#include "generation/context.h"
#include "http/session.h"
#include "settings/plan.h"

namespace aimlvideo {

/// Estimates the price in USD before anything is bought, tells it, and refuses it above `max-cost`. With that or a
/// limit on spending (`limited`) set, it is also refused when it is not known. Empty where nobody asked for a price.
/// `mayHaveBought`: submissions of this request that nobody knows the outcome of; the cap is for all of them.
Task<Result<std::optional<double>>> checkPrice(const Context &context, const Plan &plan, HttpSession &session,
                                               unsigned mayHaveBought, bool limited);

/// The end of a run that only checks: tells the estimate, buys nothing.
Task<Result<void>> reportDryRun(const Context &context, const Plan &plan, HttpSession &session);

} // namespace aimlvideo
