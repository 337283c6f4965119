// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "row_result.h"

namespace aimlvideo::cli {

/// Writes `report.csv` and `index.html`, one page with all in it, into a folder, which is made where it is missing.
Result<void> writeReport(const std::string &folder, const std::vector<ManifestRow> &rows,
                         const std::vector<RowResult> &results);

} // namespace aimlvideo::cli
