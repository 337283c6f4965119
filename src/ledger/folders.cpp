// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/folders.h"

#include <cerrno>

#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

namespace aimlvideo {

std::string stateFolder() {
  return std::string(g_get_user_state_dir()) + "/aimlvideo";
}

std::string cacheFolder() {
  return std::string(g_get_user_cache_dir()) + "/aimlvideo";
}

std::string clipFolder() {
  return cacheFolder() + "/clips";
}

tl::expected<void, std::string> makePrivateFolder(const std::string &path) {
  if (g_mkdir_with_parents(path.c_str(), 0700) != 0)
    return tl::unexpected(std::string(g_strerror(errno)));
  GStatBuf facts{};
  if (g_stat(path.c_str(), &facts) != 0)
    return tl::unexpected(std::string(g_strerror(errno)));
  // what another user owns can be changed under the feet of this one, root included
  if (facts.st_uid != geteuid())
    return tl::unexpected(std::string("it belongs to another user"));
  // an older version, or a user's own mkdir, may have left it open to others
  if ((facts.st_mode & 077) != 0 && g_chmod(path.c_str(), 0700) != 0)
    return tl::unexpected(std::string(g_strerror(errno)));
  return {};
}

} // namespace aimlvideo
