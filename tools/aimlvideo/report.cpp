// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report.h"

#include <glib/gstdio.h>

#include <aimlvideo/printable.h>

#include "api/pricing.h"
#include "base/glib_ptr.h"
#include "csv.h"
#include "terminal.h"
#include "thumbnail.h"

namespace aimlvideo::cli {

namespace {

constexpr const char *columns[] = {"row",           "output",    "state",         "origin",  "model", "prompt",
                                   "generation_id", "usd_spent", "usd_estimated", "seconds", "error"};

std::string plain(std::optional<double> number) {
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  return number ? g_ascii_formatd(buffer, sizeof buffer, "%.6g", *number) : "";
}

/// In the order of `columns`.
std::vector<std::string> cellsOf(const ManifestRow &row, const RowResult &result) {
  return {std::to_string(row.number),
          row.order.output,
          nameOf(result.state),
          originText(result.status),
          row.model,
          row.prompt,
          result.status.generationId,
          plain(result.status.billed().usd),
          plain(result.status.estimatedUsd),
          plain(result.seconds),
          result.failure ? result.failure->text() : ""};
}

std::string escaped(const std::string &text) {
  const GCharPtr safe(g_markup_escape_text(printable(text).c_str(), -1)); // quotation marks as well
  return safe.get();
}

/// A cell that no spreadsheet takes for a formula, which it would carry out.
std::string harmless(const std::string &text) {
  const std::string line = printable(text);
  const size_t first = line.find_first_not_of(' ');
  const bool formula =
      first != std::string::npos && std::string_view("=+-@").find(line[first]) != std::string_view::npos;
  return formula ? "'" + line : line;
}

std::string csvOf(const std::vector<ManifestRow> &rows, const std::vector<RowResult> &results) {
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
  for (size_t i = 0; i < rows.size(); ++i)
    addLine(cellsOf(rows[i], results[i]));
  return text;
}

constexpr auto head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>aimlvideo batch</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>
body { font: 15px sans-serif; margin: 2em; color: #222 }
table { border-collapse: collapse }
th, td { text-align: left; vertical-align: top; padding: .4em .8em; border-bottom: 1px solid #ddd }
img { display: block; width: 160px; background: #eee }
.failed td, .over-budget td, .not-started td, .interrupted td { background: #fdecea }
</style></head><body>
<h1>aimlvideo batch</h1>
)";

std::string totals(const std::vector<RowResult> &results) {
  const Totals totals = totalsOf(results);
  return "<p>" + std::to_string(totals.made) + " of " + std::to_string(results.size()) +
         " clips are made; this run bought " + std::to_string(totals.bought) + " for " + escaped(totals.cost) +
         ".</p>\n";
}

std::string pageOf(const std::vector<ManifestRow> &rows, const std::vector<RowResult> &results) {
  std::vector<std::string> outputs;
  outputs.reserve(rows.size());
  for (size_t i = 0; i < rows.size(); ++i)
    outputs.push_back(results[i].isThere() ? rows[i].order.output : "");
  const auto pictures = thumbnailsOf(outputs);
  std::string page = head + totals(results) + "<table>\n<tr><th></th>";
  for (const char *column : columns)
    page += "<th>" + escaped(column) + "</th>";
  page += "</tr>\n";
  for (size_t i = 0; i < rows.size(); ++i) {
    page += std::string("<tr class=\"") + nameOf(results[i].state) + "\"><td>";
    if (!pictures[i].empty()) {
      const GCharPtr data(g_base64_encode(reinterpret_cast<const guchar *>(pictures[i].data()), pictures[i].size()));
      page += std::string(R"(<img alt="" src="data:image/jpeg;base64,)") + data.get() + "\">";
    }
    page += "</td>";
    for (const std::string &cell : cellsOf(rows[i], results[i]))
      page += "<td>" + escaped(cell) + "</td>";
    page += "</tr>\n";
  }
  return page + "</table>\n</body></html>\n";
}

} // namespace

Result<void> writeReport(const std::string &folder, const std::vector<ManifestRow> &rows,
                         const std::vector<RowResult> &results) {
  GErrorSlot error;
  const auto write = [&](const char *name, const std::string &text) {
    return g_file_set_contents((folder + "/" + name).c_str(), text.data(), static_cast<gssize>(text.size()), &error);
  };
  g_mkdir_with_parents(folder.c_str(), 0777);
  if (!write("report.csv", csvOf(rows, results)) || !write("index.html", pageOf(rows, results)))
    return failure(ErrorKind::NoSpace, "the report can't be written", error.message());
  return {};
}

} // namespace aimlvideo::cli
