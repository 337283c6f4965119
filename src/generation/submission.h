// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>

#include "generation/run.h"

namespace aimlvideo {

/// Submits the plan's request and records each step in the ledger before it is taken.
///
/// Money: it is sent again only when the service surely did not accept it (no connection, 413, 421, 429, 503, a
/// path that it does not know). Nothing: the outcome is unknown, the row says `Sent`, and `why` says
/// what happened.
Task<Result<std::optional<Reply>>> submit(Run &run, Error &why);

} // namespace aimlvideo
