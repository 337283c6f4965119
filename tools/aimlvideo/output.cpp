// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include <glib.h>
#include <unistd.h>

#include <aimlvideo/printable.h>

#include "envelope.h"
#include "table.h"

namespace aimlvideo::cli {

namespace {

ColourChoice chosenColour = ColourChoice::Auto;
Loudness chosenLoudness = Loudness::Usual;
std::function<void()> firstOfAll;

void makeRoom() {
  if (firstOfAll)
    firstOfAll();
}

/// Whether a terminal shows what this stream gets, and nobody minds colours.
bool hasColours(FILE *stream) {
  if (chosenColour != ColourChoice::Auto)
    return chosenColour == ColourChoice::Always;
  const char *unwanted = g_getenv("NO_COLOR"); // no-color.org: whatever it says
  const char *terminal = g_getenv("TERM");
  return (!unwanted || *unwanted == '\0') && terminal && g_strcmp0(terminal, "dumb") != 0 &&
         isatty(fileno(stream)) != 0;
}

} // namespace

void chooseColour(ColourChoice choice) {
  chosenColour = choice;
}

std::string coloured(const std::string &text, Colour colour, FILE *stream) {
  return hasColours(stream) ? "\033[" + std::to_string(static_cast<int>(colour)) + "m" + text + "\033[0m" : text;
}

void setLoudness(Loudness wanted) {
  chosenLoudness = wanted;
}

Loudness loudness() {
  return chosenLoudness;
}

void beforePrinting(std::function<void()> work) {
  firstOfAll = std::move(work);
}

void print(const std::string &text, std::optional<Colour> colour) {
  if (isForProgram())
    return;
  makeRoom();
  const std::string shown = printableLines(text);
  const std::string line = (colour ? coloured(shown, *colour, stdout) : shown) + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
}

void printJson(const json::Value &value) {
  Answer::instance().setData(value);
}

ExitCode printError(const Error &error) {
  Answer::instance().fail(error);
  printFailure(error.text());
  return exitCodeFor(error.kind);
}

void printFailure(const std::string &text) {
  makeRoom();
  std::fprintf(stderr, "aimlvideo: %s\n", coloured(printable(text), Colour::Red, stderr).c_str());
}

ExitCode printTryAgain(std::string_view code, const std::string &what, int secondsToComeBackIn) {
  printFailure(what + " Try again in " + std::to_string(secondsToComeBackIn) + " seconds.");
  return Answer::instance().failForNow(code, what, secondsToComeBackIn);
}

void printUsageError(const std::string &what) {
  Answer::instance().fail("usage", what);
  printFailure(what);
  std::fprintf(stderr, "Try 'aimlvideo help' or the subcommand's --help.\n");
}

void printWarning(const std::string &text) {
  static std::set<std::string> printed; // rows and takes may all have the same
  if (!printed.insert(text).second)
    return;
  Answer::instance().addWarning(text);
  makeRoom();
  std::fprintf(stderr, "aimlvideo: %s %s\n", coloured("warning:", Colour::Yellow, stderr).c_str(),
               printable(text).c_str());
}

std::string wrapped(const std::string &text, const std::string &indent, size_t columns) {
  std::string result;
  std::string line = indent;
  size_t start = 0;
  while (start < text.size()) {
    const size_t end = std::min(text.find(' ', start), text.size());
    const std::string word = text.substr(start, end - start);
    if (line.size() > indent.size() && cellsOf(line) + 1 + cellsOf(word) > columns) {
      result += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + word;
    start = end + 1;
  }
  return result + line;
}

} // namespace aimlvideo::cli
