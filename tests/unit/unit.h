// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/check.h"

#include <glib/gstdio.h>

namespace aimlvideo::test {

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A folder of its own, gone with all that is in it.
class TemporaryFolder {
public:
  TemporaryFolder() {
    char *made = g_dir_make_tmp("aimlvideo-test-XXXXXX", nullptr);
    g_assert(made);
    path_ = made;
    g_free(made);
  }
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  ~TemporaryFolder() {
    for (const std::string &file : files_)
      g_remove(file.c_str());
    g_rmdir(path_.c_str());
  }

  const std::string &path() const { return path_; }
  std::string file(const std::string &name) { return files_.emplace_back(path_ + "/" + name); }
  std::string file(const std::string &name, std::string_view contents) {
    const std::string whole = file(name);
    g_assert(g_file_set_contents(whole.c_str(), contents.data(), static_cast<gssize>(contents.size()), nullptr));
    return whole;
  }
  /// Names of what is in it.
  size_t entries() const {
    size_t count = 0;
    GDir *folder = g_dir_open(path_.c_str(), 0, nullptr);
    while (g_dir_read_name(folder))
      ++count;
    g_dir_close(folder);
    return count;
  }

private:
  std::string path_;
  std::vector<std::string> files_;
};

/// An environment variable that has a value, or none, for the length of a test.
class ScopedVariable {
public:
  ScopedVariable(const char *name, const char *value) : name_(name) {
    if (const char *before = g_getenv(name))
      before_ = before;
    if (value)
      g_setenv(name, value, TRUE);
    else
      g_unsetenv(name);
  }
  ScopedVariable(const ScopedVariable &) = delete;
  ScopedVariable &operator=(const ScopedVariable &) = delete;
  ~ScopedVariable() {
    if (before_)
      g_setenv(name_, before_->c_str(), TRUE);
    else
      g_unsetenv(name_);
  }

private:
  const char *name_;
  std::optional<std::string> before_;
};

} // namespace aimlvideo::test

/// Expects that a text holds a part, and prints the text when it does not.
#define fail_unless_contains(text, part)                                                                               \
  do {                                                                                                                 \
    const std::string whole_text(text);                                                                                \
    fail_unless(aimlvideo::test::contains(whole_text, part), "'" #text "' is \"%s\"", whole_text.c_str());             \
  } while (0)
