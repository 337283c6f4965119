// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "generation/run.h"

namespace aimlvideo {

/// Reads what is known of the time that the generation in `row` takes, for the schedule of polls and the forecast. What
/// can't be read is treated as unknown.
Task<void> expect(Run &run, const LedgerRow &row);

/// The generation in `row` was bought earlier: takes over since when it runs, where the ledger knows that.
void goOnWaiting(Run &run, const LedgerRow &row);

/// Writes what the generation took into the ledger, where that was seen. A failure is a line in the log.
Task<void> learn(Run &run);

} // namespace aimlvideo
