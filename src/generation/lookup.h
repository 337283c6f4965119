// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "generation/context.h"
#include "generation/purchase.h"
#include "service/service_client.h"

namespace aimlvideo {

/// What a look at the account's log has found.
struct Finding {
  enum class Outcome {
    Bought,    ///< the row has its generation id and says `Running`
    NotBought, ///< the service lists it as failed, which costs nothing
    Unknown,   ///< not listed by the deadline, or the log can't be read
  };
  Outcome outcome = Outcome::Unknown;
  std::string why; ///< where it is unknown
};

/// Looks a submission of unknown outcome up in the account's log of requests, by the client request id that it carried
/// and by nothing else. A row may come as late as the completion, so this goes on, ever more slowly, until the
/// deadline.
Task<Result<Finding>> lookUp(const Context &context, ServiceClient &client, Purchase &purchase);

} // namespace aimlvideo
