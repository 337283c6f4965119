// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace aimlvideo::cli {

/// Reads comma-separated values by RFC 4180: fields in quotation marks may hold commas, line breaks and doubled
/// quotation marks. Neither GLib nor GStreamer has a reader. Strict: a stray quotation mark or a NUL is an error rather
/// than a guess, since a wrong guess would be bought. Empty lines are left out; a byte order mark is skipped.
///
/// `row` counts as a spreadsheet does, from 1. The error is a sentence that names the row.
struct CsvRecord {
  size_t row = 0;
  std::vector<std::string> fields;
};
tl::expected<std::vector<CsvRecord>, std::string> parseCsv(std::string_view text);

/// A field as parseCsv() reads it back.
std::string csvField(const std::string &text);

} // namespace aimlvideo::cli
