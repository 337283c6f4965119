// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output.h"

#include <algorithm>
#include <cstdio>

#include <aimlvideo/printable.h>

#include "envelope.h"
#include "table.h"

namespace aimlvideo::cli {

void print(const std::string &text) {
  if (isForProgram())
    return;
  const std::string line = printableLines(text) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
}

void printJson(const json::Value &value) {
  Answer::instance().setData(value);
}

ExitCode printError(const Error &error) {
  Answer::instance().fail(error);
  std::fprintf(stderr, "aimlvideo: %s\n", error.text().c_str());
  return exitCodeFor(error.kind);
}

void printUsageError(const std::string &what) {
  Answer::instance().fail("usage", what);
  std::fprintf(stderr, "aimlvideo: %s\nTry 'aimlvideo help' or the subcommand's --help.\n", printable(what).c_str());
}

void printWarning(const std::string &text) {
  Answer::instance().addWarning(text);
  std::fprintf(stderr, "aimlvideo: warning: %s\n", printable(text).c_str());
}

std::string wrapped(const std::string &text, const std::string &indent) {
  constexpr size_t longest = 78;
  std::string result;
  std::string line = indent;
  size_t start = 0;
  while (start < text.size()) {
    const size_t end = std::min(text.find(' ', start), text.size());
    const std::string word = text.substr(start, end - start);
    if (line.size() > indent.size() && cellsOf(line) + 1 + cellsOf(word) > longest) {
      result += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + word;
    start = end + 1;
  }
  return result + line;
}

} // namespace aimlvideo::cli
