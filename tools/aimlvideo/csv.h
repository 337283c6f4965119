// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aimlvideo::cli {

/// A row of a table, as a spreadsheet counts it, from 1.
struct CsvRecord {
  size_t row = 0;
  std::vector<std::string> fields;
};

/// A table with all that is wrong in its form.
struct Csv {
  std::vector<CsvRecord> records;                       ///< those that can be read
  std::vector<std::pair<size_t, std::string>> problems; ///< rows, and sentences
};

/// Reads comma-separated values by RFC 4180: fields in quotation marks may hold commas, line breaks and doubled
/// quotation marks. Neither GLib nor GStreamer has a reader. Strict: a stray quotation mark or a NUL is a problem
/// rather than a guess, since a wrong guess would be bought. Empty lines are left out; a byte order mark is skipped.
Csv parseCsv(std::string_view text, char separator = ',');

/// A field as parseCsv() reads it back.
std::string csvField(const std::string &text);

} // namespace aimlvideo::cli
