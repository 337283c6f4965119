// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aimlvideo::cli {

/// The cells that a line of printable text takes on a terminal: two for a wide character as of CJK or an emoji, none
/// for a combining one.
size_t cellsOf(std::string_view text);

/// Which part of a text goes where it is cut; an ellipsis stands for it.
enum class Cut { End, Middle, Start };

/// A line of printable text in at most so many cells.
std::string fitted(const std::string &text, size_t cells, Cut cut = Cut::End);

/// The same, and blanks up to so many cells.
std::string padded(const std::string &text, size_t cells);

/// The columns of the terminal on standard output; empty: it is none.
std::optional<size_t> terminalWidth();

/// A column of a table.
struct Column {
  enum class Fit {
    Whole, ///< is never cut
    Cut,   ///< gives way where the terminal is too narrow
  };

  const char *heading;
  Fit fit = Fit::Whole;
  Cut cut = Cut::End;
  size_t least = 8;   ///< cells that are left of it where it is cut, if it had more
  bool right = false; ///< such as numbers
  /// Where even cut columns are too much, those with the highest number are left out first; 0: never.
  unsigned dispensable = 0;
};

/// Rows whose columns stand below each other, in two blanks' distance, never in tabs. A column without any text is left
/// out. Cells are made printable.
class Table {
public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  Table(std::initializer_list<const char *> headings);
  /// As many cells as there are columns, or fewer.
  void add(std::vector<std::string> row);
  /// The lines, the heading first. Nothing is cut or left out where there is no width, or no column that gives way.
  std::vector<std::string> lines(std::optional<size_t> width) const;
  /// On standard output, as wide as its terminal.
  void print() const;

private:
  /// Of each column, what it takes; empty: it is left out.
  std::vector<std::optional<size_t>> widthsFor(std::optional<size_t> width) const;
  std::string lineOf(const std::vector<std::string> &row, const std::vector<std::optional<size_t>> &widths) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

} // namespace aimlvideo::cli
