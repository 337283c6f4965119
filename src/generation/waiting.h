// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "api/reply.h"
#include "generation/context.h"
#include "generation/purchase.h"
#include "service/service_client.h"
#include "timing/completion_watch.h"

namespace aimlvideo {

/// What is known of a generation that is bought and that the service is at work on.
struct UnderWay {
  Reply reply{.state = JobState::Queued};         ///< the latest that says something
  std::optional<std::chrono::seconds> retryAfter; ///< what the service has asked for last
  CompletionWatch watch;
  Clock::time_point firstPoll = Clock::now();
};

struct Completion {
  std::string clipUrl;
  std::optional<std::chrono::milliseconds> took; ///< from acceptance on, where that was seen
};

/// Polls a generation that is bought until it has completed with a clip, and records its end in the ledger. Faults of
/// polls are ridden out until the deadline. `underWay` follows what is known.
Task<Result<Completion>> waitForCompletion(const Context &context, ServiceClient &client, Purchase &purchase,
                                           UnderWay &underWay);

/// Time to the next poll: the user's interval, else what the service has asked for, else the schedule's.
std::chrono::milliseconds pauseBeforePoll(const Context &context, std::optional<std::chrono::seconds> retryAfter);

} // namespace aimlvideo
