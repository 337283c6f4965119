// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include <aimlvideo/ledger.h>

#include "base/json/value.h"

namespace aimlvideo::cli {

/// A row of the ledger as programs get it.
json::Value jsonOf(const LedgerRow &row);

/// The row that a JOB names, by its number or by the id of its generation. NotFound: there is none.
Result<LedgerRow> jobNamed(const std::string &text);

/// Why nobody will find out whether a job was bought: it was sent so long ago (seconds) that the account's log would
/// have it. Empty: it may still turn up, or is no such job.
std::optional<Error> staysUnknown(const LedgerRow &row, unsigned patience);

/// Seconds after which it is worth asking again for what the service makes: until it is likely to be done, as far as
/// anybody knows.
int secondsToComeBackIn(const Status &status);

} // namespace aimlvideo::cli
