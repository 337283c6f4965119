// SPDX-License-Identifier: LGPL-2.1-or-later
#include "terminal.h"

#include <algorithm>
#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

#include <aimlvideo/printable.h>

#include "base/glib_ptr.h"
#include "envelope.h"
#include "output.h"
#include "table.h"

namespace aimlvideo::cli {

namespace {

/// Of the terminal that standard error is.
winsize errorTerminal() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    size = {.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  return size;
}

/// How many rows lines take now that were written to a terminal of perhaps another width.
size_t rowsOf(const std::vector<std::string> &lines) {
  const size_t width = errorTerminal().ws_col;
  size_t rows = 0;
  for (const std::string &line : lines)
    rows += std::max<size_t>((cellsOf(line) + width - 1) / width, 1);
  return rows;
}

} // namespace

LiveLines::LiveLines() {
  const char *terminal = g_getenv("TERM");
  possible_ = isatty(STDERR_FILENO) != 0 && g_strcmp0(terminal, "dumb") != 0 && loudness() == Loudness::Usual;
  beforePrinting([this] { clear(); });
}

LiveLines::~LiveLines() {
  clear();
  beforePrinting({});
}

size_t LiveLines::columns() const {
  return errorTerminal().ws_col - 1U; // a cursor behind the last column would begin a line
}

size_t LiveLines::rows() const {
  return errorTerminal().ws_row - 1U; // the cursor's
}

void LiveLines::show(std::vector<std::string> lines) {
  if (!possible_)
    return;
  const size_t width = columns();
  for (std::string &line : lines)
    line = fitted(printable(line), width);
  if (lines == shown_)
    return;
  // each is written over the one before, so that nothing flickers
  std::string text = shown_.empty() ? "" : "\033[" + std::to_string(rowsOf(shown_)) + "A\r";
  for (const std::string &line : lines)
    text += line + "\033[K\n";
  text += "\033[J";
  std::fputs(text.c_str(), stderr);
  shown_ = std::move(lines);
}

void LiveLines::clear() {
  if (!shown_.empty()) // up to the first of them, and everything below goes
    std::fprintf(stderr, "\033[%zuA\r\033[J", rowsOf(shown_));
  shown_.clear();
}

std::string originText(const Status &status) {
  return status.state == State::Idle ? "" : nameOf(status.origin);
}

Members &Members::text(const char *name, const std::string &value) {
  if (!value.empty())
    object_.set(name, value);
  return *this;
}

Members &Members::number(const char *name, std::optional<double> value) {
  if (value)
    object_.set(name, rounded(*value));
  return *this;
}

Members &Members::integer(const char *name, std::optional<int64_t> value) {
  if (value)
    object_.set(name, *value);
  return *this;
}

Members &Members::generation(const Status &status) {
  return text("generation_id", status.generationId)
      .text("model", status.model)
      .text("origin", originText(status))
      .number("elapsed", secondsPassed(status))
      .number("usd_estimated", status.estimatedUsd)
      .number("usd_spent", status.billed().usd)
      .text("unmarked", status.unmarked);
}

} // namespace aimlvideo::cli
