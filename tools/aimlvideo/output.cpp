// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output.h"

#include <algorithm>
#include <cstdio>

#include <aimlvideo/printable.h>

namespace aimlvideo::cli {

namespace {

size_t widthOf(const std::string &text) {
  return static_cast<size_t>(g_utf8_strlen(text.c_str(), static_cast<gssize>(text.size())));
}

void write(const std::string &text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

} // namespace

void print(const std::string &text) {
  write(printableLines(text));
}

void printJsonText(const std::string &json) {
  write(printableJson(json));
}

void printJson(const json::Value &value) {
  printJsonText(value.dump(json::Layout::Indented));
}

ExitCode printError(const Error &error) {
  std::fprintf(stderr, "aimlvideo: %s\n", error.text().c_str());
  return exitCodeFor(error.kind);
}

void printUsageError(const std::string &what) {
  std::fprintf(stderr, "aimlvideo: %s\nTry 'aimlvideo help' or the subcommand's --help.\n", printable(what).c_str());
}

void printWarning(const std::string &text) {
  std::fprintf(stderr, "aimlvideo: warning: %s\n", printable(text).c_str());
}

void Table::add(std::vector<std::string> row) {
  for (std::string &cell : row)
    cell = printable(cell);
  rows_.push_back(std::move(row));
}

void Table::print() const {
  std::vector<size_t> widths;
  for (const auto &row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], widthOf(row[i]));
  }
  for (const auto &row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size())
        line.append(widths[i] - widthOf(row[i]) + 2, ' ');
    }
    cli::print(line.substr(0, line.find_last_not_of(' ') + 1));
  }
}

std::string wrapped(const std::string &text, const std::string &indent) {
  constexpr size_t longest = 78;
  std::string result;
  std::string line = indent;
  size_t start = 0;
  while (start < text.size()) {
    const size_t end = std::min(text.find(' ', start), text.size());
    const std::string word = text.substr(start, end - start);
    if (line.size() > indent.size() && widthOf(line) + 1 + widthOf(word) > longest) {
      result += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + word;
    start = end + 1;
  }
  return result + line;
}

} // namespace aimlvideo::cli
