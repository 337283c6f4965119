// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/printable.h>

#include <algorithm>
#include <array>

#include "base/glib_ptr.h"

namespace aimlvideo {

namespace {

constexpr auto replacement = "\xef\xbf\xbd";

struct Range {
  gunichar first;
  gunichar last;
};

template <size_t count>
bool isIn(const std::array<Range, count> &ranges, gunichar character) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [character](const Range &range) { return character >= range.first && character <= range.last; });
}

/// The control characters C0 and C1, and what ends a line or a paragraph.
bool controls(gunichar character) {
  constexpr std::array ranges{Range{0, 0x1f}, Range{0x7f, 0x9f}, Range{0x2028, 0x2029}};
  return isIn(ranges, character);
}

/// Marks, embeddings, overrides and isolates of the direction of writing, and its deprecated kin.
bool turnsDirection(gunichar character) {
  constexpr std::array ranges{Range{0x061c, 0x061c}, Range{0x200e, 0x200f}, Range{0x202a, 0x202e},
                              Range{0x2066, 0x206f}, Range{0xfff9, 0xfffb}};
  return isIn(ranges, character);
}

bool isPlainAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return g_ascii_isprint(c); });
}

/// Puts together what `write` makes of each character.
template <typename Write>
std::string rewritten(std::string_view text, Write write) {
  if (isPlainAscii(text))
    return std::string(text);
  const GCharPtr valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  std::string result;
  for (const char *at = valid.get(); *at;) {
    const char *next = g_utf8_next_char(at);
    write(result, g_utf8_get_char(at), std::string_view(at, static_cast<size_t>(next - at)));
    at = next;
  }
  return result;
}

} // namespace

std::string printable(std::string_view text) {
  return rewritten(text, [](std::string &line, gunichar character, std::string_view bytes) {
    line += controls(character) ? " " : turnsDirection(character) ? replacement : bytes;
  });
}

std::string printableLines(std::string_view text) {
  std::string lines;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    lines += (start > 0 ? "\n" : "") + printable(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

std::string printableJson(std::string_view json) {
  return rewritten(json, [](std::string &text, gunichar character, std::string_view bytes) {
    const bool layout = character == '\n' || character == '\r' || character == '\t';
    if (layout || (!controls(character) && !turnsDirection(character)))
      return text.append(bytes), void();
    char escape[8];
    g_snprintf(escape, sizeof escape, "\\u%04x", character);
    text += escape;
  });
}

} // namespace aimlvideo
