// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/home.h"

#include <filesystem>

#include <unistd.h>

#include <glib.h>

namespace aimlvideo::test {

namespace {

/// The folder of this process and of the checks that it forks.
class Root {
public:
  Root() {
    char *made = g_dir_make_tmp("aimlvideo-home-XXXXXX", nullptr);
    g_assert(made);
    path_ = made;
    g_free(made);
    g_setenv("XDG_STATE_HOME", (path_ + "/state").c_str(), TRUE);
    g_setenv("XDG_CACHE_HOME", (path_ + "/cache").c_str(), TRUE);
  }
  Root(const Root &) = delete;
  Root &operator=(const Root &) = delete;
  ~Root() {
    std::error_code ignored;
    if (maker_ == getpid())
      std::filesystem::remove_all(path_, ignored);
  }

  const std::string &path() const { return path_; }

private:
  const pid_t maker_ = getpid();
  std::string path_;
};

const Root root; // before main(): gst_check_init() already makes GLib look

} // namespace

std::string PrivateHome::state() const {
  return root.path() + "/state";
}

std::string PrivateHome::cache() const {
  return root.path() + "/cache";
}

size_t PrivateHome::clips() const {
  std::error_code missing;
  size_t count = 0;
  for (const auto &entry : std::filesystem::directory_iterator(cache() + "/aimlvideo/clips", missing))
    count += entry.path().extension() == ".mp4";
  return count;
}

void PrivateHome::clear() {
  std::error_code ignored;
  for (const char *folder : {"/state", "/cache"})
    std::filesystem::remove_all(root.path() + folder, ignored);
}

} // namespace aimlvideo::test
