// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <aimlvideo/ledger.h>

#include "base/json/value.h"

namespace aimlvideo::cli {

/// Which jobs are meant. What is empty excludes none.
struct JobFilter {
  std::vector<LedgerRow::State> states;
  std::string model;              ///< a part of its name
  int64_t since = 0;              ///< milliseconds since 1970: begun then or later
  std::vector<std::string> words; ///< all of them are in the prompt, the output, the model, an id or the cause

  bool any() const { return !states.empty() || !model.empty() || since != 0 || !words.empty(); }
  bool matches(const LedgerRow &row) const;
};

/// States by their names, with commas between them. BadRequest names a wrong one and those that there are.
Result<std::vector<LedgerRow::State>> statesIn(const std::string &text);

/// The time that `2h` (`s`, `m`, `h`, `d` or `w` ago), `2026-11-01` or `2026-11-01T09:30` mean, where it is `now`; both
/// in milliseconds since 1970. Dates are local. BadRequest says what is allowed.
Result<int64_t> sinceIn(const std::string &text, int64_t now);

/// `40s`, `5m`, `3h`, `12d`, and after 99 days the date.
std::string ageText(int64_t milliseconds, int64_t now);

/// Prints the jobs that are meant, newest first and `limit` at most, and below them what they have cost.
/// Nothing: 20 on a terminal, else all.
void printJobs(const std::vector<LedgerRow> &rows, const JobFilter &filter, std::optional<size_t> limit);

/// The same for programs; without a limit: all.
json::Value jsonOfJobs(const std::vector<LedgerRow> &rows, const JobFilter &filter, std::optional<size_t> limit);

} // namespace aimlvideo::cli
