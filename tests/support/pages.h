// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace aimlvideo::test {

/// A row of a table in the documents: `name` | type | when | meaning.
struct Row {
  std::vector<std::string> cells;

  /// The GType's name for a type as it is documented, such as `guint64` for "uint64, ns".
  std::string type() const;
  const std::string &when() const { return cells.at(2); }
};

/// The rows by the name in their first cell.
using Table = std::map<std::string, Row>;

/// The first table behind a heading of a page in docs/; its first column is called `column` where that is given.
/// Aborts the test where there is none.
Table tableIn(const std::string &page, const std::string &heading, const std::string &column = {});

/// The words in backquotes.
std::set<std::string> namesIn(const std::string &cell);

} // namespace aimlvideo::test
