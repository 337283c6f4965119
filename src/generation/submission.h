// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "api/reply.h"
#include "generation/run.h"

namespace aimlvideo {

/// What has become of a submission that may have been acted on.
enum class Submitted { Accepted, Unknown };

/// Submits the plan's request and records each step in the ledger before it is taken.
///
/// Money: it is sent again only when the service surely did not accept it (no connection, 413, 421, 429, 503, a
/// path that it does not know). Accepted: `reply` is what the service answered. Unknown: the row says `Sent`, and `why`
/// says what happened.
Task<Result<Submitted>> submit(Run &run, Reply &reply, Error &why);

} // namespace aimlvideo
