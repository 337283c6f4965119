// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include "base/cancellation.h"
#include "clip/clip_store.h"
#include "ledger/ledger.h"

namespace aimlvideo {

/// The clip of a row of the ledger in the store, if it is what was stored.
struct StoredClip {
  enum class Care {
    Quick, ///< all of it is read only where something tells that the file was touched
    Whole,
  };
  enum class State {
    Right,
    Gone,    ///< there is none of this length
    Changed, ///< it has other contents
    Touched, ///< it may have other contents: it was written to or replaced, and there is no checksum that would tell
    Cut,     ///< it is what was stored, by an earlier version, and by its boxes it is not whole
    Unknown, ///< cancelled, or it can't be read
  };

  State state = State::Unknown;
  std::shared_ptr<Spool> clip; ///< only where it is right

  /// In words, such as `has other contents than it had`.
  const char *problem() const;
};

/// Looks at it, and notes in row and ledger what it looks like now. Removes nothing: another takes the place of one
/// that is not right.
StoredClip storedClip(const ClipStore &store, Ledger &ledger, LedgerRow &row, StoredClip::Care care,
                      const Cancellation &cancellation);

} // namespace aimlvideo
