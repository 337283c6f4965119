// SPDX-License-Identifier: LGPL-2.1-or-later
#include "table.h"

#include <algorithm>

#include <glib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <aimlvideo/printable.h>

#include "output.h"

namespace aimlvideo::cli {

namespace {

constexpr size_t gap = 2;
constexpr size_t usualWidth = 80;

constexpr gunichar asEmoji = 0xFE0F; ///< makes the character before it an emoji, and wider

size_t widthOf(gunichar character) {
  if (character == asEmoji)
    return 1;
  return g_unichar_iszerowidth(character) ? 0 : g_unichar_iswide(character) ? 2 : 1;
}

std::string ellipsis() {
  return g_get_charset(nullptr) ? "\xe2\x80\xa6" : "...";
}

/// The beginning of a text that fits, with the combining characters of its last one.
std::string_view beginning(std::string_view text, size_t cells) {
  size_t used = 0;
  const char *at = text.data();
  const char *const end = at + text.size();
  for (; at < end; at = g_utf8_next_char(at)) {
    used += widthOf(g_utf8_get_char(at));
    if (used > cells)
      break;
  }
  return text.substr(0, static_cast<size_t>(at - text.data()));
}

/// The end of a text that fits; it begins with no combining character.
std::string_view ending(std::string_view text, size_t cells) {
  size_t left = cellsOf(text);
  const char *at = text.data();
  const char *const end = at + text.size();
  while (at < end && (left > cells || widthOf(g_utf8_get_char(at)) == 0)) {
    left -= widthOf(g_utf8_get_char(at));
    at = g_utf8_next_char(at);
  }
  return text.substr(static_cast<size_t>(at - text.data()));
}

} // namespace

size_t cellsOf(std::string_view text) {
  size_t cells = 0;
  const char *const end = text.data() + text.size();
  for (const char *at = text.data(); at < end; at = g_utf8_next_char(at))
    cells += widthOf(g_utf8_get_char(at));
  return cells;
}

std::string fitted(const std::string &text, size_t cells, Cut cut) {
  if (cellsOf(text) <= cells)
    return text;
  const std::string mark(beginning(ellipsis(), cells));
  const size_t left = cells - cellsOf(mark);
  switch (cut) {
  case Cut::End:
    return std::string(beginning(text, left)) + mark;
  case Cut::Start:
    return mark + std::string(ending(text, left));
  case Cut::Middle:
    break;
  }
  const std::string first(beginning(text, left - left / 2));
  return first + mark + std::string(ending(text, left - cellsOf(first)));
}

std::string padded(const std::string &text, size_t cells) {
  std::string line = fitted(text, cells);
  return line.append(cells - cellsOf(line), ' ');
}

std::optional<size_t> terminalWidth() {
  if (isatty(STDOUT_FILENO) == 0)
    return {};
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usualWidth;
}

Table::Table(std::initializer_list<const char *> headings) {
  for (const char *heading : headings)
    columns_.push_back({heading});
}

void Table::add(std::vector<std::string> row) {
  row.resize(columns_.size());
  for (std::string &cell : row)
    cell = printable(cell);
  rows_.push_back(std::move(row));
}

std::vector<std::optional<size_t>> Table::widthsFor(std::optional<size_t> width) const {
  std::vector<std::optional<size_t>> widths(columns_.size());
  for (const auto &row : rows_)
    for (size_t i = 0; i < row.size(); ++i)
      if (!row[i].empty())
        widths[i] = std::max({widths[i].value_or(0), cellsOf(columns_[i].heading), cellsOf(row[i])});
  if (rows_.empty())
    for (size_t i = 0; i < columns_.size(); ++i)
      widths[i] = cellsOf(columns_[i].heading);
  if (!width)
    return widths;

  const auto atLeast = [&](size_t i) {
    const size_t shortest = std::max(columns_[i].least, cellsOf(columns_[i].heading));
    return columns_[i].fit == Column::Fit::Cut ? std::min(*widths[i], shortest) : *widths[i];
  };
  const auto sum = [&](const auto &widthOf) {
    size_t cells = 0;
    for (size_t i = 0; i < widths.size(); ++i)
      if (widths[i])
        cells += widthOf(i) + (cells > 0 ? gap : 0);
    return cells;
  };
  while (sum(atLeast) > *width) {
    size_t worst = columns_.size();
    for (size_t i = 0; i < columns_.size(); ++i)
      if (widths[i] && columns_[i].dispensable > 0 &&
          (worst == columns_.size() || columns_[i].dispensable > columns_[worst].dispensable))
        worst = i;
    if (worst == columns_.size())
      break;
    widths[worst].reset();
  }
  for (size_t cells = 0; (cells = sum([&](size_t i) { return *widths[i]; })) > *width;) {
    // the widest gives way first
    size_t widest = columns_.size();
    for (size_t i = 0; i < columns_.size(); ++i)
      if (widths[i] && *widths[i] > atLeast(i) && (widest == columns_.size() || *widths[i] > *widths[widest]))
        widest = i;
    if (widest == columns_.size())
      break;
    --*widths[widest];
  }
  return widths;
}

std::string Table::lineOf(const std::vector<std::string> &row, const std::vector<std::optional<size_t>> &widths) const {
  std::string line;
  bool first = true;
  for (size_t i = 0; i < row.size(); ++i) {
    if (!widths[i])
      continue;
    const std::string cell = fitted(row[i], *widths[i], columns_[i].cut);
    const std::string blanks(*widths[i] - cellsOf(cell), ' ');
    line += (first ? "" : std::string(gap, ' ')) + (columns_[i].right ? blanks + cell : cell + blanks);
    first = false;
  }
  return line.substr(0, line.find_last_not_of(' ') + 1);
}

std::vector<std::string> Table::lines(std::optional<size_t> width) const {
  const auto widths = widthsFor(width);
  std::vector<std::string> headings(columns_.size());
  std::ranges::transform(columns_, headings.begin(), &Column::heading);
  std::vector<std::string> lines{lineOf(headings, widths)};
  for (const auto &row : rows_)
    lines.push_back(lineOf(row, widths));
  const bool givesWay = std::ranges::any_of(columns_, [](const Column &one) { return one.fit == Column::Fit::Cut; });
  for (std::string &line : lines)
    if (width && givesWay)
      line = fitted(line, *width);
  return lines;
}

void Table::print() const {
  for (const std::string &line : lines(terminalWidth()))
    cli::print(line);
}

} // namespace aimlvideo::cli
