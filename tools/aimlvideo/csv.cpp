// SPDX-License-Identifier: LGPL-2.1-or-later
#include "csv.h"

#include <algorithm>

namespace aimlvideo::cli {

namespace {

constexpr std::string_view byteOrderMark = "\xef\xbb\xbf";

class Reader {
public:
  Reader(std::string_view text, char separator) : rest_(text), ends_{separator, '\n', '\0'} {
    if (rest_.starts_with(byteOrderMark))
      rest_.remove_prefix(byteOrderMark.size());
  }

  Csv read() {
    Csv csv;
    for (row_ = 1; !rest_.empty(); ++row_) {
      CsvRecord record{row_, {}};
      if (const std::string problem = readRecord(record); !problem.empty()) {
        csv.problems.emplace_back(row_, problem);
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size())); // the next line may be right
        take('\n');
      } else if (record.fields.size() > 1 || !record.fields.front().empty()) {
        csv.records.push_back(std::move(record));
      }
    }
    return csv;
  }

private:
  bool take(char character) {
    if (!rest_.starts_with(character))
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool takeLineBreak() { return take('\n') || (rest_.starts_with("\r\n") && take('\r') && take('\n')); }

  /// Returns what is wrong, as below.
  std::string readRecord(CsvRecord &record) {
    for (bool more = true; more;) {
      std::string field;
      if (std::string problem = readField(field); !problem.empty())
        return problem;
      record.fields.push_back(std::move(field));
      more = take(ends_[0]);
    }
    return rest_.empty() || takeLineBreak() ? "" : "something follows a closing quotation mark";
  }

  /// Returns what is wrong; empty: nothing.
  std::string readField(std::string &field) {
    if (take('"'))
      return readQuoted(field);
    const size_t end = std::min(rest_.find_first_of(ends_), rest_.size());
    field = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (rest_.starts_with('\n') && field.ends_with('\r'))
      field.pop_back();
    if (field.find('"') != std::string::npos)
      return "a quotation mark is inside a field that does not begin with one";
    return problemIn(field);
  }

  std::string readQuoted(std::string &field) {
    for (;;) {
      const size_t end = rest_.find('"');
      if (end == std::string_view::npos) {
        rest_ = {}; // it takes in all that follows
        return "a quotation mark is not closed";
      }
      field += rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      if (!take('"'))
        return problemIn(field);
      field += '"';
    }
  }

  static std::string problemIn(const std::string &field) {
    return field.find('\0') == std::string::npos ? "" : "it contains a zero byte";
  }

  std::string_view rest_;
  const char ends_[3]; ///< what ends a field, the separator first
  size_t row_ = 0;
};

} // namespace

Csv parseCsv(std::string_view text, char separator) {
  return Reader(text, separator).read();
}

std::string csvField(const std::string &text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos)
    return text;
  std::string field = "\"";
  for (const char character : text)
    field += character == '"' ? std::string("\"\"") : std::string(1, character);
  return field + "\"";
}

} // namespace aimlvideo::cli
