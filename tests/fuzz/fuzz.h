// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <glib.h>

/// What a target consists of: takes any bytes, returns 0, and stops the process where a promise is broken.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace aimlvideo::fuzz {

inline std::string_view textOf(const uint8_t *data, size_t size) {
  return {reinterpret_cast<const char *>(data), size};
}

/// Cuts off the first line, without its end.
inline std::string_view cutLine(std::string_view &text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(line.size() < text.size() ? line.size() + 1 : text.size());
  return line;
}

/// Takes a number from the front of some bytes; zeroes behind their end.
template <typename T>
T cutNumber(std::string_view &bytes) {
  T number{};
  const size_t count = bytes.size() < sizeof number ? bytes.size() : sizeof number;
  if (count > 0)
    std::memcpy(&number, bytes.data(), count);
  bytes.remove_prefix(count);
  return number;
}

/// What people and GStreamer can be shown: UTF-8 without NUL.
inline bool isReadable(std::string_view text) {
  return text.empty() || g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr);
}

inline bool isOneLine(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f')
      return false;
  return true;
}

/// A warning of GLib is a mistake as well, told in a way that libFuzzer notices.
inline void stopAt(const char *domain, GLogLevelFlags level, const char *message, gpointer) {
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) {
    std::fprintf(stderr, "%s: %s\n", domain ? domain : "", message);
    std::abort();
  }
}
inline const auto defaultLog = g_log_set_default_handler(stopAt, nullptr);

} // namespace aimlvideo::fuzz

/// Stops the process where a promise is broken, in every build.
#define must_hold(kept)                                                                                                \
  do {                                                                                                                 \
    if (!(kept)) {                                                                                                     \
      std::fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #kept);                                  \
      std::abort();                                                                                                    \
    }                                                                                                                  \
  } while (0)
