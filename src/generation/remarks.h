// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <aimlvideo/error.h>

#include "api/reply.h"
#include "generation/purchase.h"
#include "http/session.h"

namespace aimlvideo {

// The errors of a generation, in words for its user.

Error notReached(const Settings &settings, const std::string &baseUrl, const TransportError &cause);
/// `doubt`: what is known of the submission.
Error unknownOutcome(const Purchase &purchase, const Error &doubt);
/// `disowned`: the service says last that it does not know what it has sold, but has not for this long yet, after which
/// it is believed; empty: it does not say so.
Failure deadlinePassed(const Settings &settings, const Purchase &purchase, const std::string &cause,
                       std::optional<std::chrono::seconds> disowned);
Failure completedWithoutClip(const Purchase &purchase, const Reply &reply);
/// `reason`: the service's, without secrets.
Error failedGeneration(const Reply &reply, std::string reason);
/// What was bought is gone at the service, by its own word to the key that bought it. `refusal` is that word.
Error lostGeneration(const Settings &settings, const Purchase &purchase, Error refusal);
/// The service does not know a generation that is not known to be bought, or not to this key.
Error unknownGeneration(const Purchase &purchase, Error refusal);
Error moderatedBefore(const Settings &settings, const Purchase &purchase);
/// What a URI alone may not buy, see Allowance.
Error notForUri(const Settings &settings);
/// How to get what is paid for.
std::string resumeHint(const Purchase &purchase);

} // namespace aimlvideo
