// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/folders.h"

#include <cerrno>

#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

namespace aimlvideo {

namespace {

/// What GLib takes from the environment; where that is no absolute path, the base directory specification has it
/// ignored: the ledger must not depend on the folder that a program happens to be started in.
std::string ownIn(const char *base, const char *usual) {
  const std::string folder = g_path_is_absolute(base) ? base : std::string(g_get_home_dir()) + usual;
  return folder + "/aimlvideo";
}

} // namespace

std::string stateFolder() {
  return ownIn(g_get_user_state_dir(), "/.local/state");
}

std::string cacheFolder() {
  return ownIn(g_get_user_cache_dir(), "/.cache");
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
