// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>

#include "api/job_kind.h"
#include "generation/context.h"
#include "ledger/ledger.h"
#include "settings/plan.h"
#include "timing/completion_watch.h"

namespace aimlvideo {

/// The kind of the generation in a row: of the request at hand, or as the ledger has it.
JobKind kindOf(const Settings &settings, const Plan &plan, const LedgerRow &row);

/// Tells the narrator what is known of the time that a kind of generation takes, for the schedule of polls and the
/// forecast. What can't be read is treated as unknown. `ledger` may be null.
Task<void> expect(Narrator &narrator, std::shared_ptr<Ledger> ledger, const std::string &baseUrl, const JobKind &kind);

/// The generation in `row` was bought earlier: since when it runs, where the ledger knows that, in what is returned and
/// in the status.
CompletionWatch watchOf(const LedgerRow &row, Status &status);

/// Writes what a generation took into the ledger. A failure is a line in the log.
Task<void> learn(const Narrator &narrator, Ledger &ledger, const ObservedTime &time);

} // namespace aimlvideo
