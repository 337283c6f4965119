// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report.h"

#include <iterator>
#include <map>

#include <glib/gstdio.h>

#include <aimlvideo/ledger.h>
#include <aimlvideo/money.h>
#include <aimlvideo/printable.h>

#include "base/glib_ptr.h"
#include "csv.h"
#include "report_page.h"
#include "terminal.h"

namespace aimlvideo::cli {

namespace {

constexpr const char *columns[] = {"row",           "output",    "state",         "origin",  "model", "prompt",
                                   "generation_id", "usd_spent", "usd_estimated", "seconds", "error", "usd_generation"};

std::string plain(std::optional<double> number) {
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  return number ? g_ascii_formatd(buffer, sizeof buffer, "%.6g", *number) : "";
}

/// In the order of `columns`.
std::vector<std::string> cellsOf(const ReportEntry &entry) {
  const Status &status = entry.result.status;
  return {std::to_string(entry.row.number),
          entry.row.order.output,
          nameOf(entry.result.state),
          originText(status),
          entry.row.model,
          entry.row.prompt,
          status.generationId,
          plain(status.billed().usd),
          plain(status.estimatedUsd),
          plain(entry.seconds),
          entry.result.failure ? entry.result.failure->text() : entry.earlierError,
          plain(entry.price)};
}

/// A cell that no spreadsheet takes for a formula, which it would carry out.
std::string harmless(const std::string &text) {
  const std::string line = printable(text);
  const size_t first = line.find_first_not_of(' ');
  const bool formula =
      first != std::string::npos && std::string_view("=+-@").find(line[first]) != std::string_view::npos;
  return formula ? "'" + line : line;
}

std::string csvOf(const std::vector<ReportEntry> &entries) {
  std::string text;
  const auto addLine = [&text](const auto &cells) {
    const char *separator = "";
    for (const auto &cell : cells) {
      text += separator + csvField(harmless(cell));
      separator = ",";
    }
    text += "\r\n";
  };
  addLine(columns);
  for (const ReportEntry &entry : entries)
    addLine(cellsOf(entry));
  return text;
}

/// The rows of an earlier report by their outputs; none where there is no such report.
using Record = std::map<std::string, std::string>;
std::map<std::string, Record> recordsIn(const std::string &file) {
  std::map<std::string, Record> records;
  char *contents = nullptr;
  gsize size = 0;
  if (!g_file_get_contents(file.c_str(), &contents, &size, nullptr))
    return records;
  const GCharPtr owner(contents);
  const Csv csv = parseCsv({contents, size});
  if (!csv.problems.empty() || csv.records.empty())
    return records;
  const auto &names = csv.records.front().fields;
  for (auto line = std::next(csv.records.begin()); line != csv.records.end(); ++line) {
    Record record;
    for (size_t i = 0; i < std::min(names.size(), line->fields.size()); ++i)
      record[names[i]] = line->fields[i];
    records[record["output"]] = std::move(record);
  }
  return records;
}

/// What each generation was billed for, as far as the ledger knows.
std::map<std::string, std::optional<double>> pricesInLedger() {
  std::map<std::string, std::optional<double>> prices;
  if (const auto rows = ledgerRows())
    for (const LedgerRow &row : *rows)
      prices.emplace(row.generationId, billed(row).usd);
  return prices;
}

/// Adds what was known before to what this run did.
class History {
public:
  explicit History(const std::string &report) : records_(recordsIn(report)), prices_(pricesInLedger()) {}

  ReportEntry entryOf(const ManifestRow &row, const RowResult &result) {
    ReportEntry entry{row, result, result.seconds, {}, ""};
    const std::string &generation = result.status.generationId;
    Record &record = records_[harmless(row.order.output)];
    const bool isSame = !generation.empty() && record["generation_id"] == generation;
    if (result.state == RowResult::State::MadeBefore && isSame)
      entry.seconds = g_ascii_strtod(record["seconds"].c_str(), nullptr);
    if (const auto known = prices_.find(generation); !generation.empty() && known != prices_.end())
      entry.price = known->second;
    if (!entry.price && result.state != RowResult::State::MadeBefore)
      entry.price = result.status.usage.usd;
    if (!entry.price && isSame)
      entry.price = parseUsd(record["usd_generation"]);
    if (result.state != RowResult::State::Failed && !result.isThere())
      entry.earlierError = record["error"];
    return entry;
  }

private:
  std::map<std::string, Record> records_;
  std::map<std::string, std::optional<double>> prices_;
};

} // namespace

Result<void> writeReport(const std::string &folder, const ReportedRun &run, const std::vector<ManifestRow> &rows,
                         const std::vector<RowResult> &results) {
  History history(folder + "/report.csv");
  std::vector<ReportEntry> entries;
  entries.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i)
    entries.push_back(history.entryOf(rows[i], results[i]));
  GErrorSlot error;
  const auto write = [&](const char *name, const std::string &text) {
    return g_file_set_contents((folder + "/" + name).c_str(), text.data(), static_cast<gssize>(text.size()), &error);
  };
  g_mkdir_with_parents(folder.c_str(), 0777);
  if (!write("report.csv", csvOf(entries)) || !write("index.html", reportPage(folder, run, entries)))
    return failure(ErrorKind::NoSpace, "the report can't be written", error.message());
  return {};
}

} // namespace aimlvideo::cli
