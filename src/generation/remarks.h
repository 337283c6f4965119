// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <aimlvideo/error.h>

#include "api/reply.h"
#include "generation/run.h"

namespace aimlvideo {

// The errors of a generation, in words for its user.

Error notReached(const Run &run, const TransportError &cause);
Error unknownOutcome(const Run &run, const std::string &why);
/// `disowned`: the service says last that it does not know what it has sold, not for long enough to be believed.
Failure deadlinePassed(const Run &run, const std::string &cause, bool disowned);
Failure completedWithoutClip(const Run &run, const Reply &reply);
Error failedGeneration(const Run &run, const Reply &reply);
/// What was bought is gone at the service, by its own word to the key that bought it. `refusal` is that word.
Error lostGeneration(const Run &run, Error refusal);
/// The service does not know a generation that is not known to be bought, or not to this key.
Error unknownGeneration(const Run &run, Error refusal);
Error moderatedBefore(const Run &run);
/// What a URI alone may not buy, see Allowance.
Error notForUri(const Run &run);
/// How to get what is paid for.
std::string resumeHint(const Run &run);

} // namespace aimlvideo
