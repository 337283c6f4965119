// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/nearest.h"

#include <algorithm>

#include <glib.h>

namespace aimlvideo {

namespace {

/// Nobody misspells a name that is longer, and the work grows with the square.
constexpr size_t longestWord = 100;

/// A word with as many wrong letters is taken for a misspelling and not for another word.
constexpr size_t surelyMisspelt = 2;

char folded(char c) {
  return c == '_' || c == '.' || c == '/' || c == ' ' ? '-' : g_ascii_tolower(c);
}

std::string nearestWithin(size_t limit, std::string_view word, const std::vector<std::string> &candidates) {
  if (word.empty() || word.size() > longestWord)
    return "";
  size_t best = limit + 1;
  std::string nearest;
  for (const std::string &candidate : candidates) {
    const size_t distance = editDistance(word, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

} // namespace

size_t editDistance(std::string_view first, std::string_view second) {
  const size_t width = second.size() + 1;
  std::vector<size_t> beforeLast(width);
  std::vector<size_t> last(width);
  std::vector<size_t> row(width);
  for (size_t k = 0; k < width; ++k)
    row[k] = k;
  for (size_t i = 1; i <= first.size(); ++i) {
    beforeLast.swap(last);
    last.swap(row);
    row[0] = i;
    for (size_t k = 1; k < width; ++k) {
      const bool same = folded(first[i - 1]) == folded(second[k - 1]);
      row[k] = std::min({last[k] + 1, row[k - 1] + 1, last[k - 1] + (same ? 0 : 1)});
      if (i > 1 && k > 1 && folded(first[i - 1]) == folded(second[k - 2]) &&
          folded(first[i - 2]) == folded(second[k - 1]))
        row[k] = std::min(row[k], beforeLast[k - 2] + 1);
    }
  }
  return row[width - 1];
}

std::string nearestTo(std::string_view word, const std::vector<std::string> &candidates) {
  // a third of the letters may be wrong; of two or three letters, one
  return nearestWithin(std::max<size_t>(word.size() / 3, 1), word, candidates);
}

std::string misspeltFrom(std::string_view word, const std::vector<std::string> &candidates) {
  return nearestWithin(surelyMisspelt, word, candidates);
}

} // namespace aimlvideo
