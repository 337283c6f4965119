// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "generation/run.h"

namespace aimlvideo {

/// Estimates the price before anything is bought, tells it, and refuses it above `max-cost` or, with that set, when it
/// is not known. Does nothing where nobody asked for a price.
Task<Result<void>> checkPrice(Run &run);

/// The end of a run that only checks: tells the estimate, buys nothing.
Task<Result<void>> reportDryRun(Run &run);

} // namespace aimlvideo
