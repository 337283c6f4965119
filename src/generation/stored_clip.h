// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>

#include "base/cancellation.h"
#include "clip/clip_store.h"
#include "ledger/ledger.h"

namespace aimlvideo {

/// The clip of a row of the ledger in the store, if it is what was stored.
struct StoredClip {
  enum class Care {
    Quick, ///< all of it is read only where something tells that the file was touched
    Whole, ///< all of it is written to the disk, as far as it is not there yet, and read
  };
  enum class State {
    Right,
    Gone,     ///< there is none of this length
    Changed,  ///< it has other contents
    Touched,  ///< it may have other contents: it was written to or replaced, and there is no checksum that would tell
    Unsynced, ///< parts of it may be missing: the machine ended before all was known to be on the disk, and there is no
              ///< checksum that would tell
    Cut,      ///< it is what was stored, by an earlier version, and by its boxes it is not whole
    Unknown,  ///< cancelled, or it can't be read
  };

  State state = State::Unknown;
  std::shared_ptr<Spool> clip; ///< only where it is right

  /// Nothing tells whether it is right, so it may be the only copy of something that is paid for.
  bool mayBeRight() const { return state == State::Touched || state == State::Unsynced || state == State::Unknown; }
  /// In words, such as `has other contents than it had`.
  const char *problem() const;
};

/// Which start of the machine this is; empty: nobody knows. A file that was written without a sync is as it was written
/// until the machine ends.
std::string bootId();

/// For LedgerRow::clipProof: what a clip that was just kept looks like, and that it is not known to be on the disk.
/// Empty: it can't be read.
std::string proofOf(const Spool &clip, const std::string &boot = bootId());

/// Looks at it, and notes in row and ledger what it looks like now. Removes nothing: another takes the place of one
/// that is not right.
///
/// Behind a run, with Care::Whole, this is what makes a kept clip last: it is synced, then read for its checksum, then
/// its row says both. It blocks for as long as the disk takes, some seconds for 1 GiB; `cancellation` ends it soon.
StoredClip storedClip(const ClipStore &store, Ledger &ledger, LedgerRow &row, StoredClip::Care care,
                      const Cancellation &cancellation, const std::string &boot = bootId());

} // namespace aimlvideo
