// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <variant>

#include <aimlvideo/error.h>

#include "api/job_kind.h"
#include "generation/waiting.h"
#include "settings/plan.h"

namespace aimlvideo {

/// What has become of a submission that may have been acted on: the service has accepted it, or nobody knows, and the
/// error's texts say what is known.
using Submitted = std::variant<UnderWay, Error>;

/// Submits the plan's request, of this kind, and records each step in the ledger before it is taken.
///
/// Money: it is sent again only when the service surely did not accept it (no connection, 413, 421, 429, 503, a
/// path that it does not know). Where nobody knows, the row says `Sent`.
Task<Result<Submitted>> submit(const Context &context, const Plan &plan, HttpSession &session, ServiceClient &client,
                               Purchase &purchase, const JobKind &kind);

} // namespace aimlvideo
