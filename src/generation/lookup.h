// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "generation/run.h"

namespace aimlvideo {

enum class Finding {
  Bought,    ///< the row has its generation id and says `Running`
  NotBought, ///< the service lists it as failed, which costs nothing
  Unknown,   ///< not listed by the deadline
};

/// Looks a submission of unknown outcome up in the account's log of requests, by the client request id that it carried
/// and by nothing else. A row may come as late as the completion, so this goes on, ever more slowly, until the
/// deadline. `why` is what is known of the outcome and gets the reason where there is no finding.
Task<Result<Finding>> lookUp(Run &run, Error &why);

} // namespace aimlvideo
