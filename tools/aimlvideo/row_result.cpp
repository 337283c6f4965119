// SPDX-License-Identifier: LGPL-2.1-or-later
#include "row_result.h"

#include <algorithm>

#include <aimlvideo/money.h>

#include "api/pricing.h"
#include "terminal.h"

namespace aimlvideo::cli {

const char *nameOf(RowResult::State state) {
  switch (state) {
  case RowResult::State::Waiting:
    return "waiting";
  case RowResult::State::Running:
    return "interrupted"; // shown for a row that is over
  case RowResult::State::MadeBefore:
    return "made-before";
  case RowResult::State::Made:
    return "made";
  case RowResult::State::Failed:
    return "failed";
  case RowResult::State::OverBudget:
    return "over-budget";
  case RowResult::State::NotStarted:
    return "not-started";
  }
  return "";
}

Totals totalsOf(const std::vector<RowResult> &results) {
  Totals totals;
  std::vector<std::optional<double>> amounts;
  for (const RowResult &result : results) {
    totals.made += result.isThere() ? 1 : 0;
    totals.madeBefore += result.state == RowResult::State::MadeBefore ? 1 : 0;
    totals.bought += result.isBilled() ? 1 : 0;
    totals.failed += result.state == RowResult::State::Failed ? 1 : 0;
    totals.overBudget += result.state == RowResult::State::OverBudget ? 1 : 0;
    amounts.push_back(result.status.billed().usd);
  }
  totals.usd = totalUsd(amounts);
  const auto isUnknown = [](const RowResult &result) {
    return result.isBilled() && !result.status.billed().usd;
  };
  totals.cost = (std::any_of(results.begin(), results.end(), isUnknown) ? "at least " : "") + usdText(totals.usd);
  return totals;
}

std::string summaryOf(const ManifestRow &row, const RowResult &result) {
  std::string line = "row " + std::to_string(row.number) + ": " + row.order.output + ": ";
  switch (result.state) {
  case RowResult::State::Made:
    line += aimlvideo::nameOf(result.status.origin);
    if (const auto usd = result.status.billed().usd; usd && result.status.bought())
      line += ", " + usdText(*usd);
    return line + ", " + timeText(result.seconds);
  case RowResult::State::Failed:
    return line + "FAILED: " + (result.failure ? result.failure->text() : "");
  default:
    return line + nameOf(result.state);
  }
}

} // namespace aimlvideo::cli
