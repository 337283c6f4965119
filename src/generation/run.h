// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <random>

#include "api/job_kind.h"
#include "clip/clip_store.h"
#include "generation/descriptors.h"
#include "generation/flight.h"
#include "generation/narrator.h"
#include "generation/patience.h"
#include "generation/purchase.h"
#include "http/retry.h"
#include "service/service_client.h"
#include "settings/plan.h"
#include "timing/completion_watch.h"

namespace aimlvideo {

/// What the steps of one generation share. All of them run on the network thread.
struct Run {
  /// The patience and the cancellation have to live as long.
  Run(Settings wanted, const Patience &patient, Cancellation &canceller, Narrator::Callbacks callbacks)
      : settings(std::move(wanted)), patience(patient), cancellation(canceller), narrator(std::move(callbacks)) {}

  const Settings settings;
  const Patience &patience;
  Cancellation &cancellation;
  Narrator narrator;
  std::minstd_rand random{std::random_device{}()};
  const uint32_t seed = static_cast<uint32_t>(random()); ///< of the schedule of polls

  Clock::time_point deadline;
  Plan plan;
  std::shared_ptr<HttpSession> session;
  std::unique_ptr<ServiceClient> client;
  std::optional<ClipStore> store; ///< empty: its folder can't be used
  Purchase purchase;
  unsigned mayHaveBought = 0; ///< submissions of this request that nobody knows the outcome of, for the cap
  std::unique_ptr<ReservedDescriptor> descriptor; ///< until the clip has one
  std::unique_ptr<Flight> flight;                 ///< while it counts as one in flight

  std::optional<std::chrono::seconds> retryAfter; ///< what the latest answer asks for
  JobKind kind;
  CompletionWatch watch;
  std::optional<std::chrono::milliseconds> took; ///< from acceptance to completion, where that was seen

  Status &status() { return narrator.status; }

  /// Writes a state that follows from what has happened already: a failure is reported and the generation goes on,
  /// since the row on disk leads the next run to look the purchase up.
  Task<void> recordAfterwards(LedgerRow::State state);
};

/// The user stopped the generation.
Failure stopped();

} // namespace aimlvideo
