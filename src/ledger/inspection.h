// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

#include <aimlvideo/error.h>

namespace aimlvideo {

/// What a ledger looks like to somebody who changes nothing in it.
struct LedgerInspection {
  bool exists = false;
  std::string problem;  ///< why it can't be used, in SQLite's words; empty: it can
  bool damaged = false; ///< that is why: what is in it is not what was written
  uint64_t schema = 0;  ///< the version of its form
  uint64_t known = 0; ///< the newest form that this program knows; what is older is brought up to date when it is used
  uint64_t jobs = 0;  ///< in it
  uint64_t bytes = 0;
};

/// Reads all of the ledger in a folder, whoever else has it open. Blocks for the disk.
LedgerInspection inspectLedger(const std::string &folder);

} // namespace aimlvideo
