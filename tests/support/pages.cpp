// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/pages.h"

#include <fstream>
#include <sstream>

#include <glib.h>

namespace aimlvideo::test {

namespace {

std::string trimmed(const std::string &text) {
  const size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> cellsIn(const std::string &line) {
  std::vector<std::string> cells;
  std::istringstream rest(line.substr(1)); // without the first bar
  for (std::string cell; std::getline(rest, cell, '|');)
    cells.push_back(trimmed(cell));
  return cells;
}

} // namespace

std::string Row::type() const {
  const std::string word = cells.at(1).substr(0, cells.at(1).find(','));
  if (word == "string")
    return "gchararray";
  return g_ascii_isupper(word.front()) ? word : "g" + word;
}

Table tableIn(const std::string &page, const std::string &heading, const std::string &column) {
  const char *folder = g_getenv("AIMLVIDEO_DOCUMENTS");
  std::ifstream file(std::string(folder ? folder : ".") + "/" + page);
  std::string line;
  while (std::getline(file, line) && line != heading)
    ;
  const std::string head = "| " + column;
  while (std::getline(file, line) && !line.starts_with(head))
    ;
  if (!file)
    g_error("%s has no table behind \"%s\"", page.c_str(), heading.c_str());
  std::getline(file, line); // the rule
  Table table;
  while (std::getline(file, line) && line.starts_with("|")) {
    const Row row{cellsIn(line)};
    for (const std::string &name : namesIn(row.cells.at(0)))
      table[name] = row;
  }
  return table;
}

std::set<std::string> namesIn(const std::string &cell) {
  std::set<std::string> names;
  for (size_t at = 0; (at = cell.find('`', at)) != std::string::npos;) {
    const size_t end = cell.find('`', at + 1);
    names.insert(cell.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return names;
}

} // namespace aimlvideo::test
