// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <random>

#include "api/job_kind.h"
#include "clip/clip_store.h"
#include "generation/completion_watch.h"
#include "generation/descriptors.h"
#include "generation/flight.h"
#include "generation/narrator.h"
#include "generation/purchase.h"
#include "generation/service_client.h"
#include "generation/plan.h"
#include "http/retry.h"

namespace aimlvideo {

/// How patient the single steps are. The defaults are for the real service.
struct Patience {
  std::chrono::seconds submission{300}; ///< for one POST with up to 67 MB of image
  std::chrono::seconds poll{30};
  std::chrono::seconds validators{10};      ///< for asking the hosts of all images given by URL
  std::chrono::milliseconds ownership{250}; ///< between two looks whether another owner has let go
  unsigned idleConnection = 60;             ///< seconds
  /// From the start until a job tells that it has failed: an application that starts its main loop only then, as
  /// gst-launch-1.0 does, would miss an error that comes before, and never end.
  std::chrono::milliseconds firstFailure{200};
  RetryPolicy unreachable{std::chrono::milliseconds(1000), std::chrono::seconds(8), 4};
  RetryPolicy turnedAway{std::chrono::milliseconds(2000), std::chrono::seconds(30), 6};
  RetryPolicy tooLarge{std::chrono::milliseconds(2000), std::chrono::seconds(30), 2}; ///< 413, rarely a passing mood
  RetryPolicy lookups{std::chrono::milliseconds(1000), std::chrono::seconds(60), 0};
  RetryPolicy polls{std::chrono::milliseconds(1000), std::chrono::seconds(15), 0};
  RetryPolicy downloads{std::chrono::milliseconds(500), std::chrono::seconds(30), 0};
  /// The service's own word, in a row and nothing else in between, before a generation counts as unknown to it.
  unsigned unknownIdAnswers = 5;
  /// For one that was bought: from the first of them to the last, so that no restart of the service takes so long.
  std::chrono::milliseconds unknownIdSpan{180'000};
};

/// What the steps of one generation share. All of them run on the thread of Generation::run().
struct Run {
  Run(Settings wanted, const Patience &patient, Cancellation &canceller, Narrator::Callbacks callbacks)
      : settings(std::move(wanted)), patience(patient), cancellation(canceller), narrator(std::move(callbacks)) {}

  const Settings settings;
  const Patience patience;
  Cancellation &cancellation;
  Narrator narrator;
  std::minstd_rand random{std::random_device{}()};
  const uint32_t seed = static_cast<uint32_t>(random()); ///< of the schedule of polls

  Clock::time_point deadline;
  Plan plan;
  std::unique_ptr<HttpSession> session;
  std::unique_ptr<ServiceClient> client;
  std::optional<ClipStore> store; ///< nothing: its folder can't be used
  Purchase purchase;
  unsigned mayHaveBought = 0; ///< submissions of this request that nobody knows the outcome of, for the cap
  std::unique_ptr<DescriptorShare> descriptors; ///< while it may open some
  std::unique_ptr<Flight> flight;               ///< while it counts as one in flight

  std::optional<std::chrono::seconds> retryAfter; ///< what the latest answer asks for
  JobKind kind;
  CompletionWatch watch;
  std::optional<std::chrono::milliseconds> took; ///< from acceptance to completion, where that was seen

  Status &status() { return narrator.status; }

  /// Writes a state that follows from what has happened already: a failure is told and the generation goes on, since
  /// the row on disk leads the next run to look the purchase up.
  void recordAfterwards(LedgerRow::State state) {
    const auto written = purchase.record(state);
    if (!written)
      narrator.note("this could not be recorded in the ledger: " + written.error().why);
  }
};

/// The user stopped the generation.
inline Failure stopped() {
  return failure(ErrorKind::Cancelled, "the generation was stopped");
}

} // namespace aimlvideo
