// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "fetch.h"
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
    OverBudget, ///< not begun, since --max-cost would be exceeded
    NotStarted, ///< not begun, since every row would fail alike
  };

  State state = State::Waiting;
  GenerationNews news;
  std::optional<Error> failure;
  double seconds = 0; ///< this run took for it

  bool isThere() const { return state == State::Made || state == State::MadeBefore; }
};

/// In the spelling of reports and `--json`.
const char *nameOf(RowResult::State state);

/// `row 3: boat.mp4: bought, 0.455 USD, 1:05`
std::string summaryOf(const ManifestRow &row, const RowResult &result);

} // namespace aimlvideo::cli
