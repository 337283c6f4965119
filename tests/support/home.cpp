// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/home.h"

#include <filesystem>

#include <glib.h>

namespace aimlvideo::test {

PrivateHome::PrivateHome() {
  char *made = g_dir_make_tmp("aimlvideo-home-XXXXXX", nullptr);
  g_assert(made);
  path_ = made;
  g_free(made);
  g_setenv("XDG_STATE_HOME", state().c_str(), TRUE);
  g_setenv("XDG_CACHE_HOME", cache().c_str(), TRUE);
}

PrivateHome::~PrivateHome() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

size_t PrivateHome::clips() const {
  std::error_code missing;
  size_t count = 0;
  for (const auto &entry : std::filesystem::directory_iterator(cache() + "/aimlvideo/clips", missing))
    count += entry.path().extension() == ".mp4";
  return count;
}

} // namespace aimlvideo::test
