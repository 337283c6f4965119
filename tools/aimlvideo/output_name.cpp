// SPDX-License-Identifier: LGPL-2.1-or-later
#include "output_name.h"

#include <filesystem>
#include <string_view>

#include <glib.h>

#include "base/glib_ptr.h"

namespace aimlvideo::cli {

bool namesTake(const std::string &output) {
  return output.find(takePlaceholder) != std::string::npos;
}

std::string withTake(const std::string &output, unsigned take) {
  const std::string number = std::to_string(take);
  std::string name = output;
  for (size_t at = 0; (at = name.find(takePlaceholder, at)) != std::string::npos; at += number.size())
    name.replace(at, std::string_view(takePlaceholder).size(), number);
  return name;
}

std::string nameFrom(const std::string &text) {
  constexpr size_t longest = 60;    // characters
  constexpr size_t mostBytes = 180; // file systems take 255, with what is put around a name while it is made
  const GCharPtr valid(g_utf8_make_valid(text.c_str(), static_cast<gssize>(text.size())));
  const GCharPtr whole(g_utf8_normalize(valid.get(), -1, G_NORMALIZE_DEFAULT_COMPOSE));
  std::string name;
  std::string word;
  size_t letters = 0; // and dashes
  const auto add = [&] {
    if (word.empty())
      return;
    name += (name.empty() ? "" : "-") + word;
    word.clear();
  };
  const char *at = whole.get();
  for (; *at != '\0'; at = g_utf8_next_char(at)) {
    const gunichar letter = g_utf8_get_char(at);
    if (!g_unichar_isalnum(letter) && !g_unichar_ismark(letter)) {
      add();
      continue;
    }
    char bytes[6];
    const auto size = static_cast<size_t>(g_unichar_to_utf8(g_unichar_tolower(letter), bytes));
    letters += word.empty() && !name.empty() ? 2 : 1; // with the dash before it
    if (letters > longest || name.size() + 1 + word.size() + size > mostBytes)
      break;
    word.append(bytes, size);
  }
  if (*at == '\0' || name.empty()) // a word that is cut is left out, unless it is the only one
    add();
  return name.empty() ? "clip" : name;
}

std::string freeName(const std::string &stem, const std::string &extension) {
  std::string name = stem + extension;
  std::error_code error;
  for (unsigned number = 2; exists(std::filesystem::symlink_status(name, error)); ++number)
    name = stem + "-" + std::to_string(number) + extension;
  return name;
}

} // namespace aimlvideo::cli
