// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "generation/context.h"
#include "http/session.h"
#include "settings/plan.h"

namespace aimlvideo {

/// Estimates the price before anything is bought, tells it, and refuses it above `max-cost` or, with that set, when it
/// is not known. Does nothing where nobody asked for a price. `mayHaveBought`: submissions of this request that nobody
/// knows the outcome of; the cap is for all of them.
Task<Result<void>> checkPrice(const Context &context, const Plan &plan, HttpSession &session, unsigned mayHaveBought);

/// The end of a run that only checks: tells the estimate, buys nothing.
Task<Result<void>> reportDryRun(const Context &context, const Plan &plan, HttpSession &session);

} // namespace aimlvideo
