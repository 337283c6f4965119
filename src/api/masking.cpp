// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/masking.h"

#include <cstring>

#include <aimlvideo/secret.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

namespace {

/// A text that is shorter guards nothing, and would be found in the middle of words.
constexpr size_t shortestSecret = 8;

/// Encodings inside of each other, such as `%2541`.
constexpr int deepest = 3;

/// Reads the characters of a text as a parser of JSON or of addresses would hand them on.
struct Reader {
  std::string_view text;
  size_t at = 0;
  int value = 0; ///< that hex() has read

  bool ended() const { return at >= text.size(); }

  char next(int depth = deepest) {
    const char c = ended() ? '\0' : text[at++];
    if (depth == 0 || (c != '%' && c != '\\'))
      return c;
    Reader ahead{text, at};
    if (c == '%')
      return ahead.hex(2, depth - 1) ? take(ahead, depth) : c;
    const char kind = ahead.next(depth - 1);
    if (kind == 'u')
      return ahead.hex(4, depth - 1) ? take(ahead, depth) : c;
    if (kind != '/' && kind != '\\' && kind != '"')
      return c;
    at = ahead.at;
    return kind;
  }

  /// Reads the number of a character in ASCII.
  bool hex(int digits, int depth) {
    value = 0;
    for (int i = 0; i < digits; ++i) {
      const int digit = ended() ? -1 : g_ascii_xdigit_value(next(depth));
      if (digit < 0)
        return false;
      value = value * 16 + digit;
    }
    return value < 0x80;
  }

  /// What was decoded may begin the next encoding: `%25` and then `41`.
  char take(const Reader &ahead, int depth) {
    at = ahead.at;
    const char c = static_cast<char>(ahead.value);
    if (c != '%' || depth <= 1)
      return c;
    Reader further{text, at};
    return further.hex(2, depth - 1) ? take(further, depth - 1) : c;
  }
};

bool isBase64(char c) {
  return g_ascii_isalnum(c) || c == '+' || c == '/' || c == '-' || c == '_' || c == '=';
}

char inOneAlphabet(char c) {
  return c == '-' ? '+' : c == '_' ? '/' : c;
}

/// Where `needle` ends that begins at `at`; npos: it does not.
template <typename Equal>
size_t endOf(std::string_view needle, std::string_view text, size_t at, Equal equal) {
  for (const char wanted : needle) {
    Reader reader{text, at};
    if (reader.ended())
      return std::string_view::npos;
    if (equal(reader.next(), wanted))
      at = reader.at;
    else if (equal(text[at], wanted)) // what looks encoded, and is the secret's own
      ++at;
    else
      return std::string_view::npos;
  }
  return at;
}

/// Bytes of `text` that `needle` and what `widen` adds to it take: replaced by `mark`.
template <typename Equal, typename Widen>
void cover(std::string &text, std::string_view needle, std::string_view mark, Equal equal, Widen widen) {
  for (size_t at = 0; at < text.size(); ++at) {
    if (!equal(text[at], needle[0]) && text[at] != '%' && text[at] != '\\')
      continue;
    size_t end = endOf(needle, text, at, equal);
    if (end == std::string::npos)
      continue;
    size_t begin = at;
    widen(begin, end);
    text.replace(begin, end - begin, mark);
    at = begin + mark.size() - 1;
  }
}

/// The characters that the secret alone decides when it stands `before` bytes after the beginning of a group of three.
std::string base64Of(std::string_view secret, size_t before) {
  std::string bytes(before, '\0');
  bytes.reserve(before + secret.size()); // so that no shorter copy is left behind
  bytes += secret;
  const GCharPtr encoded(g_base64_encode(reinterpret_cast<const guchar *>(bytes.data()), bytes.size()));
  const size_t first = (before * 8 + 5) / 6;
  std::string decided(encoded.get() + first, bytes.size() * 8 / 6 - first);
  explicit_bzero(encoded.get(), strlen(encoded.get()));
  wipe(bytes);
  return decided;
}

} // namespace

void mask(std::string &text, std::string_view secret, std::string_view mark) {
  if (secret.size() < shortestSecret)
    return;
  const auto same = [](char a, char b) {
    return a == b;
  };
  cover(text, secret, mark, same, [](size_t, size_t) {});
  const auto sameBase64 = [](char a, char b) {
    return inOneAlphabet(a) == b;
  };
  for (size_t before = 0; before < 3; ++before) {
    std::string needle = base64Of(secret, before);
    // with the neighbours, which hold the rest of the secret's first and last byte
    cover(text, needle, mark, sameBase64, [&text](size_t &begin, size_t &end) {
      while (begin > 0 && isBase64(text[begin - 1]))
        --begin;
      while (end < text.size() && isBase64(text[end]))
        ++end;
    });
    wipe(needle);
  }
}

} // namespace aimlvideo
