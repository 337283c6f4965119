// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>

#include <glib.h>

namespace aimlvideo::json {

namespace {

constexpr int maximumDepth = 64;
constexpr auto noJson = "it is not valid JSON";
constexpr std::string_view replacement = "\\ufffd";

/// Up to here every whole number has a double of its own.
constexpr double largestExactInteger = 9007199254740992.0;

bool isDigit(char c) {
  return c >= '0' && c <= '9';
}

class Reader {
public:
  Reader(std::string_view text, std::string &rewritten) : text_(text), rewritten_(rewritten) { rewritten.clear(); }

  tl::expected<std::string_view, std::string> read() {
    while (at_ < text_.size())
      if (!readPart())
        return tl::unexpected(why_);
    if (rewritten_.empty())
      return text_;
    replace(0, "");
    return rewritten_;
  }

private:
  bool refuse(std::string why) {
    why_ = std::move(why);
    return false;
  }

  /// The next `count` bytes read as `other`; what was passed before reads as it is.
  void replace(size_t count, std::string_view other) {
    rewritten_ += text_.substr(copied_, at_ - copied_);
    rewritten_ += other;
    at_ += count;
    copied_ = at_;
  }

  /// A string, a number, a word, or a character between them.
  bool readPart() {
    const char c = text_[at_];
    if (c == '"')
      return readString();
    if (c == '-' || isDigit(c))
      return readNumber();
    if (g_ascii_isalpha(c))
      return readWord();
    if (c == '{' || c == '[') {
      if (++depth_ > maximumDepth)
        return refuse("it is nested deeper than " + std::to_string(maximumDepth) + " levels");
    } else if (c == '}' || c == ']') {
      --depth_;
    } else if (std::string_view(":, \t\r\n").find(c) == std::string_view::npos) {
      return refuse(noJson);
    }
    ++at_;
    return true;
  }

  bool readWord() {
    for (const std::string_view word : {"true", "false", "null"})
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return true;
      }
    return refuse(noJson);
  }

  bool readString() {
    ++at_;
    for (;;) {
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\')
        ++at_;
      if (at_ == text_.size())
        return refuse(noJson);
      if (text_[at_] == '"') {
        ++at_;
        return true;
      }
      if (!readEscape())
        return refuse(noJson);
    }
  }

  /// The number in an escape such as \u00e9; empty: there is none.
  std::optional<unsigned> escapeAt(size_t place) const {
    if (text_.substr(place, 2) != "\\u" || place + 6 > text_.size())
      return {};
    unsigned code = 0;
    const char *digits = text_.data() + place + 2;
    const auto [end, error] = std::from_chars(digits, digits + 4, code, 16);
    return error == std::errc() && end == digits + 4 ? std::optional(code) : std::nullopt;
  }

  bool readEscape() {
    if (at_ + 1 == text_.size())
      return false;
    if (text_[at_ + 1] == 'u')
      return readUnicode();
    at_ += 2;
    return std::string_view("\"\\/bfnrt").find(text_[at_ - 1]) != std::string_view::npos;
  }

  bool readUnicode() {
    const auto isHigh = [](unsigned code) {
      return code >= 0xd800 && code < 0xdc00;
    };
    const auto isLow = [](unsigned code) {
      return code >= 0xdc00 && code < 0xe000;
    };
    const auto code = escapeAt(at_);
    if (!code)
      return false; // the parser would take \udc0 for a character
    const auto next = isHigh(*code) ? escapeAt(at_ + 6) : std::nullopt;
    if (next && isLow(*next))
      at_ += 12;
    else if (isHigh(*code) || isLow(*code) || *code == 0)
      replace(6, replacement);
    else
      at_ += 6;
    return true;
  }

  size_t digitsAt(size_t place) const {
    size_t end = place;
    while (end < text_.size() && isDigit(text_[end]))
      ++end;
    return end - place;
  }

  bool readNumber() {
    size_t end = at_ + (text_[at_] == '-' ? 1 : 0);
    const size_t whole = digitsAt(end);
    if (whole == 0 || (whole > 1 && text_[end] == '0'))
      return refuse(noJson);
    end += whole;
    const size_t endOfWhole = end;
    if (end < text_.size() && text_[end] == '.') {
      const size_t count = digitsAt(++end);
      if (count == 0)
        return refuse(noJson);
      end += count;
    }
    if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
      ++end;
      if (end < text_.size() && (text_[end] == '+' || text_[end] == '-'))
        ++end;
      const size_t count = digitsAt(end);
      if (count == 0)
        return refuse(noJson);
      end += count;
    }
    const std::string number(text_.substr(at_, end - at_));
    if (!std::isfinite(g_ascii_strtod(number.c_str(), nullptr))) {
      replace(number.size(), "null");
      return true;
    }
    at_ = end;
    if (end == endOfWhole && !g_ascii_string_to_signed(number.c_str(), 10, G_MININT64, G_MAXINT64, nullptr, nullptr))
      replace(0, "e0");
    return true;
  }

  const std::string_view text_;
  size_t at_ = 0;
  size_t copied_ = 0; ///< bytes of text_ that rewritten_ stands for
  int depth_ = 0;
  std::string &rewritten_;
  std::string why_;
};

bool isEscaped(char c) {
  return c == '"' || c == '\\' || c == 0x7f || static_cast<unsigned char>(c) < 0x1f;
}

std::string escapeOf(char c) {
  constexpr std::string_view named = "\"\\\b\f\n\r\t";
  constexpr std::string_view letters = "\"\\bfnrt";
  if (const size_t index = named.find(c); index != std::string_view::npos)
    return {'\\', letters[index]};
  char escape[8];
  g_snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
  return escape;
}

} // namespace

tl::expected<std::string_view, std::string> readableText(std::string_view text, std::string &rewritten) {
  return Reader(text, rewritten).read();
}

void append(std::string &to, std::string_view text) {
  to += '"';
  while (!text.empty()) {
    const auto end = std::find_if(text.begin(), text.end(), isEscaped);
    to.append(text.begin(), end);
    if (end != text.end())
      to += escapeOf(*end);
    text.remove_prefix(static_cast<size_t>(end - text.begin()) + (end == text.end() ? 0 : 1));
  }
  to += '"';
}

void append(std::string &to, double value) {
  if (!std::isfinite(value)) {
    to += "null";
  } else if (std::floor(value) == value && std::abs(value) <= largestExactInteger) {
    to += std::to_string(static_cast<int64_t>(value));
  } else {
    char buffer[32];
    to.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
  }
}

} // namespace aimlvideo::json
