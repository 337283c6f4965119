// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <aimlvideo/ledger.h>

namespace aimlvideo {

/// What a ledger holds, counted by SQLite in one look, for those that watch it.
struct LedgerTally {
  /// Of one model in one state.
  struct Jobs {
    int64_t present = 0; ///< in the ledger now
    double usd = 0;      ///< what they were billed, as billed() has it, as far as that is known
  };
  /// Of one model, over all that this ledger has ever bought, forgotten jobs too: none of it becomes less.
  struct Ever {
    int64_t accepted = 0;  ///< the service took them
    int64_t completed = 0; ///< and made them
    int64_t failed = 0;    ///< the service made nothing
    int64_t moderated = 0; ///< likewise, for the contents
    double usd = 0;        ///< billed for what is completed, or was forgotten while it was not
  };
  struct Unfinished {
    int64_t oldest = 0;     ///< milliseconds since 1970, when the oldest of them was begun
    int64_t unattended = 0; ///< of them: no process is at work on them
  };

  std::map<std::string, std::map<LedgerRow::State, Jobs>> jobs; ///< by model
  std::map<std::string, Ever> ever;                             ///< by model
  std::map<LedgerRow::State, Unfinished> unfinished;            ///< Intent, Sent and Running, where there are any
};

/// Reads the ledger in a folder and changes nothing in it; one that is not there has nothing. Blocks for the disk. It
/// fails where the ledger can't be used, and where it has the form of another version of this software.
Result<LedgerTally> tallyLedger(const std::string &folder);

} // namespace aimlvideo
