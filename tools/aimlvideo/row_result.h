// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "manifest.h"

namespace aimlvideo::cli {

/// What became of a row of a manifest.
struct RowResult {
  enum class State {
    Waiting, ///< not begun
    Running,
    MadeBefore, ///< by an earlier run, and still the same
    Made,
    Failed,
    OverBudget, ///< not bought, since --max-cost would be exceeded, or a limit on spending, which is the `failure` then
    NotStarted, ///< not begun, since every row would fail alike
  };

  State state = State::Waiting;
  Status status; ///< of its generation; Idle: this run has none
  std::optional<Error> failure;
  double seconds = 0; ///< this run took for it

  /// This run bought it and was billed for it; an amount may not be known.
  bool isBilled() const { return status.bought() && !(failure && failure->kind == ErrorKind::GenerationFailed); }
  bool isThere() const { return state == State::Made || state == State::MadeBefore; }
};

/// What a batch came to, as it is shown everywhere.
struct Totals {
  size_t made = 0;       ///< and there
  size_t madeBefore = 0; ///< of these, by earlier runs
  size_t bought = 0;     ///< by this run, and billed
  size_t failed = 0;
  size_t overBudget = 0;
  std::string cost; ///< of what this run bought, as billed, in words
  double usd = 0;   ///< likewise, as far as the service has said
};
Totals totalsOf(const std::vector<RowResult> &results);

/// In the spelling of reports and `--json`.
const char *nameOf(RowResult::State state);

/// `row 3: boat.mp4: bought, 0.455 USD, 1:05`
std::string summaryOf(const ManifestRow &row, const RowResult &result);

} // namespace aimlvideo::cli
