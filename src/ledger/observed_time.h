// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

#include "api/job_kind.h"

namespace aimlvideo {

/// How long one generation took, as the ledger keeps it.
struct ObservedTime {
  std::string baseUrl;
  JobKind kind;
  double seconds = 0;   ///< from acceptance to completion
  int64_t observed = 0; ///< milliseconds since 1970; set by the ledger
};

} // namespace aimlvideo
