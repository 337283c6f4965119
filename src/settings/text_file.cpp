// SPDX-License-Identifier: LGPL-2.1-or-later
#include "settings/text_file.h"

#include <cerrno>
#include <cstring>

#include <glib/gstdio.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

namespace {

constexpr size_t longestTextFile = 1 << 20; // bytes; far above every documented prompt

} // namespace

Result<std::string> readTextFile(const std::string &path, const std::string &property) {
  const std::string what = property + " \"" + path + "\" can't be read";
  GStatBuf facts{};
  if (g_stat(path.c_str(), &facts) != 0)
    return failure(errno == ENOENT ? ErrorKind::NotFound : ErrorKind::Unreadable, what, g_strerror(errno),
                   "Check the path and its permissions");
  if (!S_ISREG(facts.st_mode))
    return failure(ErrorKind::BadRequest, what, "it is not a regular file", "Give a text file");
  if (static_cast<size_t>(facts.st_size) > longestTextFile)
    return failure(ErrorKind::BadRequest, what, "it is larger than " + std::to_string(longestTextFile) + " bytes",
                   "Give a text file");
  GErrorSlot error;
  char *contents = nullptr;
  gsize size = 0;
  if (!g_file_get_contents(path.c_str(), &contents, &size, &error))
    return failure(ErrorKind::Unreadable, what, error.message(), "Check the path and its permissions");
  const GCharPtr owned(contents);
  const auto read = [&] {
    std::string text(contents, size);
    explicit_bzero(contents, size); // it may be a key
    return text;
  };
  if (!g_utf8_validate_len(contents, size, nullptr))
    return failure(ErrorKind::BadRequest, what, "it is not UTF-8 text", "Save it as UTF-8");
  return read();
}

} // namespace aimlvideo
