// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "command.h"
#include "row_result.h"

namespace aimlvideo::cli {

/// The run that a report is about.
struct ReportedRun {
  std::string manifest;
  Arguments arguments; ///< of the command; what may be secret in them is not shown
};

/// Writes `report.csv` and `index.html`, one page with all in it, into a folder, which is made where it is missing.
/// What an earlier report there and the ledger know of rows that this run left alone stays in it.
Result<void> writeReport(const std::string &folder, const ReportedRun &run, const std::vector<ManifestRow> &rows,
                         const std::vector<RowResult> &results);

} // namespace aimlvideo::cli
