// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "generation/run.h"

namespace aimlvideo {

/// Polls a generation that is bought until it has completed with a clip, and records its end in the ledger. Faults of
/// polls are ridden out until the deadline. `reply` is what is known already, and then the latest that says something.
Task<Result<void>> waitForCompletion(Run &run, Reply &reply, Clock::time_point firstPoll);

/// Time to the next poll: the user's interval, else what the service has asked for, else the schedule's.
std::chrono::milliseconds pauseBeforePoll(Run &run);

} // namespace aimlvideo
