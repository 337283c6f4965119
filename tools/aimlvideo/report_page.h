// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report.h"

namespace aimlvideo::cli {

/// A row as a report shows it: what this run did, and what is known from before.
struct ReportEntry {
  const ManifestRow &row;
  const RowResult &result;
  double seconds = 0;          ///< that the run took which made it; 0: not known
  std::optional<double> price; ///< of its generation in USD, whichever run bought it
  std::string earlierError;    ///< of the last run that tried it, where this one did not
};

/// One HTML page for a browser, to be stored in `folder`: the posters of the clips, which it plays from where they are,
/// and all that is to be said of the rows, those first that failed. It loads nothing else.
std::string reportPage(const std::string &folder, const ReportedRun &run, const std::vector<ReportEntry> &entries);

} // namespace aimlvideo::cli
