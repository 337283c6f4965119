// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "generation/narrator.h"
#include "ledger/ledger.h"
#include "ledger/ownership.h"

namespace aimlvideo {

/// One purchase while it is worked on: its row in the ledger and the right to work on it. For the network thread.
class Purchase {
public:
  LedgerRow row;
  std::shared_ptr<Ledger> ledger; ///< null: only a given generation is fetched and there is no ledger
  std::vector<Ownership> ownerships;
  /// The row was written with another key than the present one.
  bool byOtherKey = false;
  /// The service is asked about a generation although, by its row, nothing was made. The row stands until it answers.
  bool doubted = false;
  /// A stored clip that may well be the right one, though nothing vouches for it; empty: there is none.
  std::string keptClip;
  /// The service had finished it in an earlier run.
  bool wasCompleted = false;
  /// XMP packet that is delivered behind the clip, written with the row once it is completed; empty: not made yet.
  std::string mark;
  /// Makes it.
  std::function<std::string(const LedgerRow &row)> makeMark;
  /// What it is estimated to cost, in USD; empty: nobody asked.
  std::optional<double> price;
  /// Called with the row's number each time that the row is on disk, before anything else happens.
  std::function<void(int64_t row)> recorded;

  /// Whether it is known to be bought: by this user, or by what the service has answered for a given id.
  bool isBought() const;
  bool confirmed = false; ///< the service has answered for it in this run

  /// Writes the row with a new state. It is on disk when this has ended.
  Task<Result<void>> record(LedgerRow::State state);
  /// The same for what is about to be sent: it counts towards the limits on spending from then on. An error with
  /// `roomAt` where one has no room.
  Task<Result<void>> reserve();
  /// Writes a state that follows from what has happened already: a failure is a note and the generation goes on, since
  /// the row on disk leads the next run to look the purchase up.
  Task<void> recordAfterwards(LedgerRow::State state, Narrator &narrator);
  /// Begins another row for the same request, not written yet.
  void renew();
  /// Lets others work on it.
  void release() { ownerships.clear(); }

private:
  using Written = Result<std::unique_ptr<LedgerRow>>; // many wait for it at once, and a row is large
  Result<void> takeOver(Written written);
};

} // namespace aimlvideo
