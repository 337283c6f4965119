// SPDX-License-Identifier: LGPL-2.1-or-later
#include "job_list.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include <aimlvideo/money.h>

#include "api/nearest.h"
#include "base/glib_ptr.h"
#include "job_row.h"
#include "output.h"
#include "table.h"

namespace aimlvideo::cli {

namespace {

using RowState = LedgerRow::State;

constexpr std::array allStates{RowState::Intent, RowState::Sent,      RowState::Running,  RowState::Completed,
                               RowState::Failed, RowState::Moderated, RowState::NotBought};
/// On a terminal, unless more are asked for.
constexpr size_t screenful = 20;
constexpr int64_t secondsOfDay = 24 * 60 * 60;

std::string folded(const std::string &text) {
  const GCharPtr lower(g_utf8_casefold(text.c_str(), static_cast<gssize>(text.size())));
  return lower.get();
}

/// Amounts stand below each other in a column of USD.
std::string usdOf(const LedgerRow &row) {
  const auto usd = billed(row).usd;
  if (!usd)
    return row.state == RowState::Sent ? "?" : "";
  const std::string text = usdText(*usd);
  return text.substr(0, text.find(' '));
}

/// As a command in this folder would name it.
std::string shownPath(const std::string &path) {
  static const auto *const prefix = [] {
    const GCharPtr folder(g_get_current_dir());
    return new std::string(std::string(folder.get()) + "/");
  }();
  return path.starts_with(*prefix) ? path.substr(prefix->size()) : path;
}

std::string jobs(size_t count) {
  return std::to_string(count) + (count == 1 ? " job" : " jobs");
}

/// Those that are meant, newest first.
std::vector<const LedgerRow *> meant(const std::vector<LedgerRow> &rows, const JobFilter &filter) {
  std::vector<const LedgerRow *> chosen;
  for (const LedgerRow &row : rows)
    if (filter.matches(row))
      chosen.push_back(&row);
  return chosen;
}

/// What they have cost in all.
std::string costOf(const std::vector<const LedgerRow *> &rows) {
  std::vector<std::optional<double>> amounts;
  size_t unknown = 0;
  for (const LedgerRow *row : rows) {
    amounts.push_back(billed(*row).usd);
    unknown += row->state == RowState::Sent ? 1 : 0;
  }
  return usdText(totalUsd(amounts)) + (unknown > 0 ? " and " + std::to_string(unknown) + " of unknown outcome" : "");
}

} // namespace

bool JobFilter::matches(const LedgerRow &row) const {
  if (!states.empty() && std::ranges::find(states, row.state) == states.end())
    return false;
  if (row.created < since)
    return false;
  if (!model.empty() && folded(row.model).find(folded(model)) == std::string::npos)
    return false;
  if (words.empty())
    return true;
  const std::string all = folded(row.prompt + "\n" + row.output + "\n" + row.model + "\n" + row.generationId + "\n" +
                                 row.clientRequestId + "\n" + row.requestId + "\n" + row.cause);
  return std::ranges::all_of(words, [&](const auto &word) { return all.find(folded(word)) != std::string::npos; });
}

Result<std::vector<RowState>> statesIn(const std::string &text) {
  std::vector<std::string> names(allStates.size());
  std::ranges::transform(allStates, names.begin(), [](RowState state) { return nameOf(state); });
  std::vector<RowState> states;
  const GStrvPtr parts(g_strsplit(text.c_str(), ",", -1));
  for (char **part = parts.get(); *part; ++part) {
    const auto found = std::ranges::find(names, std::string(g_strstrip(*part)));
    if (found != names.end()) {
      states.push_back(allStates[static_cast<size_t>(found - names.begin())]);
      continue;
    }
    std::string all;
    for (const std::string &name : names)
      all += (all.empty() ? "" : ", ") + name;
    const std::string nearest = nearestTo(*part, names);
    return failure(ErrorKind::BadRequest, "there is no state \"" + std::string(*part) + "\"", "there are " + all,
                   nearest.empty() ? "" : "Did you mean " + nearest + "?");
  }
  return states;
}

Result<int64_t> sinceIn(const std::string &text, int64_t now) {
  constexpr std::pair<char, int64_t> units[] = {
      {'s', 1}, {'m', 60}, {'h', 3600}, {'d', secondsOfDay}, {'w', 7 * secondsOfDay}};
  constexpr guint64 most = 100'000;
  guint64 count = 0;
  if (!text.empty() &&
      g_ascii_string_to_unsigned(text.substr(0, text.size() - 1).c_str(), 10, 0, most, &count, nullptr))
    for (const auto &[letter, seconds] : units)
      if (text.back() == letter)
        return now - static_cast<int64_t>(count) * seconds * 1000;
  std::string written = text;
  std::ranges::replace(written, ' ', 'T');
  if (written.find('T') == std::string::npos)
    written += "T00:00";
  if (std::ranges::count(written, ':') == 1)
    written += ":00";
  const std::unique_ptr<GTimeZone, void (*)(GTimeZone *)> zone(g_time_zone_new_local(), g_time_zone_unref);
  const auto time = adopt(g_date_time_new_from_iso8601(written.c_str(), zone.get()));
  if (!time)
    return failure(ErrorKind::BadRequest, "\"" + text + "\" is no time",
                   "allowed are 40s, 15m, 2h, 3d and 1w, which are so long ago, and dates such as 2026-11-01 or "
                   "2026-11-01T09:30");
  return g_date_time_to_unix(time.get()) * 1000;
}

std::string ageText(int64_t milliseconds, int64_t now) {
  const int64_t seconds = std::max<int64_t>((now - milliseconds) / 1000, 0);
  constexpr int64_t longest = 99 * secondsOfDay;
  for (const auto &[least, unit, letter] :
       {std::tuple(2 * secondsOfDay, secondsOfDay, "d"), std::tuple(int64_t{2 * 3600}, int64_t{3600}, "h"),
        std::tuple(int64_t{2 * 60}, int64_t{60}, "m")})
    if (seconds >= least && seconds <= longest)
      return std::to_string(seconds / unit) + letter;
  if (seconds <= longest)
    return std::to_string(seconds) + "s";
  const auto time = adopt(g_date_time_new_from_unix_local(milliseconds / 1000));
  const GCharPtr date(time ? g_date_time_format(time.get(), "%Y-%m-%d") : g_strdup("-"));
  return date.get();
}

void printJobs(const std::vector<LedgerRow> &rows, const JobFilter &filter, std::optional<size_t> limit) {
  const auto chosen = meant(rows, filter);
  const size_t most = limit ? *limit : terminalWidth() ? screenful : chosen.size();
  const size_t shown = std::min(most, chosen.size());
  Table table({{.heading = "ID", .right = true},
               {.heading = "STATE"},
               {.heading = "AGE", .right = true},
               {.heading = "USD", .right = true},
               {.heading = "PROMPT", .fit = Column::Fit::Cut, .least = 16},
               {.heading = "OUTPUT", .fit = Column::Fit::Cut, .cut = Cut::Start, .least = 12, .dispensable = 1},
               {.heading = "MODEL", .fit = Column::Fit::Cut, .cut = Cut::Start, .least = 20, .dispensable = 2}});
  const int64_t now = g_get_real_time() / 1000;
  for (size_t i = 0; i < shown; ++i) {
    const LedgerRow &row = *chosen[i];
    table.add({std::to_string(row.id), nameOf(row.state), ageText(row.created, now), usdOf(row), row.prompt,
               shownPath(row.output), row.model});
  }
  if (shown > 0)
    table.print();
  if (shown < chosen.size())
    return print(std::to_string(shown) + " of " + jobs(chosen.size()) + ", " + costOf(chosen) +
                 " in all; --limit 0 lists all");
  const std::string all = jobs(rows.size());
  if (!filter.any())
    return print(all + ", " + costOf(chosen));
  print(chosen.empty() ? "none of " + all : std::to_string(chosen.size()) + " of " + all + ", " + costOf(chosen));
}

json::Value jsonOfJobs(const std::vector<LedgerRow> &rows, const JobFilter &filter, std::optional<size_t> limit) {
  const auto chosen = meant(rows, filter);
  json::Value list = json::Value::array();
  std::vector<std::optional<double>> amounts;
  for (size_t i = 0; i < std::min(limit.value_or(chosen.size()), chosen.size()); ++i) {
    list.add(jsonOf(*chosen[i]));
    amounts.push_back(billed(*chosen[i]).usd);
  }
  return json::Value::object({{"jobs", list}, {"matching", chosen.size()}, {"usd_spent", totalUsd(amounts)}});
}

} // namespace aimlvideo::cli
