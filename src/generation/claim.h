// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "clip/clip_store.h"
#include "generation/context.h"
#include "generation/purchase.h"
#include "http/session.h"
#include "settings/plan.h"

namespace aimlvideo {

/// What the ledger says of a request.
struct Claim {
  /// How the generation goes on.
  enum class Way {
    Buy,    ///< nothing is bought
    LookUp, ///< a submission left and its outcome is unknown
    Await,  ///< it is bought: poll, fetch the clip
    Replay, ///< the clip is here
  };
  Way way = Way::Buy;
  std::shared_ptr<Spool> clip; ///< for Replay
  bool joined = false;         ///< somebody else worked on it until now
};

/// Finds the ledger's row for what the settings ask for, and takes the right to work on it: waits for whoever else
/// does, and shows how far that one is. The row and that right are the purchase's, also where this fails. `store` may
/// be null. `ownRow` is the row of the caller's earlier run; 0: none.
Task<Result<Claim>> claim(const Context &context, const Plan &plan, HttpSession &session, const ClipStore *store,
                          Purchase &purchase, int64_t ownRow);

} // namespace aimlvideo
