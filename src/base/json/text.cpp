// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json/text.h"

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
  explicit Reader(std::string_view text) : text_(text) {}

  tl::expected<std::string, std::string> read() {
    result_.reserve(text_.size());
    while (at_ < text_.size())
      if (!readPart())
        return tl::unexpected(why_);
    return std::move(result_);
  }

private:
  bool refuse(std::string why) {
    why_ = std::move(why);
    return false;
  }

  void take(size_t count) {
    result_ += text_.substr(at_, count);
    at_ += count;
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
    take(1);
    return true;
  }

  bool readWord() {
    for (const std::string_view word : {"true", "false", "null"})
      if (text_.substr(at_).starts_with(word)) {
        take(word.size());
        return true;
      }
    return refuse(noJson);
  }

  bool readString() {
    take(1);
    for (;;) {
      const size_t end = text_.find_first_of("\"\\", at_);
      if (end == std::string_view::npos || end + 1 == text_.size())
        return end != std::string_view::npos && text_[end] == '"' ? (take(end + 1 - at_), true) : refuse(noJson);
      take(end - at_);
      if (text_[at_] == '"') {
        take(1);
        return true;
      }
      if (!readEscape())
        return refuse(noJson);
    }
  }

  /// The number in an escape such as \u00e9; nothing: there is none.
  std::optional<unsigned> escapeAt(size_t place) const {
    if (text_.substr(place, 2) != "\\u" || place + 6 > text_.size())
      return {};
    unsigned code = 0;
    const char *digits = text_.data() + place + 2;
    const auto [end, error] = std::from_chars(digits, digits + 4, code, 16);
    return error == std::errc() && end == digits + 4 ? std::optional(code) : std::nullopt;
  }

  bool readEscape() {
    if (text_[at_ + 1] == 'u')
      return readUnicode();
    if (std::string_view("\"\\/bfnrt").find(text_[at_ + 1]) == std::string_view::npos)
      return false;
    take(2);
    return true;
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
    if (next && isLow(*next)) {
      take(12);
    } else if (!isHigh(*code) && !isLow(*code) && *code != 0) {
      take(6);
    } else {
      result_ += replacement;
      at_ += 6;
    }
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
      result_ += "null";
      at_ = end;
      return true;
    }
    take(end - at_);
    if (end == endOfWhole && !g_ascii_string_to_signed(number.c_str(), 10, G_MININT64, G_MAXINT64, nullptr, nullptr))
      result_ += "e0";
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  std::string result_;
  std::string why_;
};

} // namespace

tl::expected<std::string, std::string> readableText(std::string_view text) {
  return Reader(text).read();
}

std::string spelled(double value) {
  if (std::floor(value) == value && std::abs(value) <= largestExactInteger)
    return std::to_string(static_cast<int64_t>(value));
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end.ptr};
}

} // namespace aimlvideo::json
