// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

/// A job as a list to choose from shows it.
struct JobName {
  int64_t id = 0;
  std::string state; ///< as the ledger has it
  std::string model;
  std::string prompt; ///< empty: it is not stored
};

/// The newest jobs, newest first. None where the ledger can't be read.
std::vector<JobName> newestJobs(const std::string &folder, unsigned most);

} // namespace aimlvideo
