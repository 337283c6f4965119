// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/ownership.h"

#include <cerrno>
#include <utility>

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "base/glib_ptr.h"
#include "ledger/folders.h"

namespace aimlvideo {

namespace {

Failure lockFailure(const std::string &path, const std::string &why) {
  return failure(ErrorKind::NoSpace, "the lock " + path + " can't be taken, so nothing was bought", why,
                 "Make that folder writable, on a local disk with free space, or name another in $XDG_STATE_HOME");
}

std::string lockPath(const std::string &folder, const std::string &name) {
  return folder + "/locks/" + name;
}

/// Whether the path still leads to the open file: the previous owner removes it before it lets go.
bool isStill(int descriptor, const std::string &path) {
  struct stat open {};
  struct stat named {};
  return fstat(descriptor, &open) == 0 && stat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

} // namespace

Result<std::optional<Ownership>> Ownership::take(const std::string &folder, const std::string &name) {
  const std::string path = lockPath(folder, name);
  if (const auto made = makePrivateFolder(folder + "/locks"); !made)
    return lockFailure(path, made.error());
  for (;;) {
    auto file = LockFile::open(path);
    if (!file)
      return lockFailure(path, file.error());
    if (!file->lock(LOCK_EX)) {
      const int cause = errno;
      if (cause == EWOULDBLOCK)
        return std::optional<Ownership>();
      return lockFailure(path, g_strerror(cause));
    }
    if (isStill(file->descriptor(), path)) {
      file->sign();
      return std::optional(Ownership(std::move(*file), path));
    }
  }
}

std::string Ownership::holder(const std::string &folder, const std::string &name) {
  return LockFile::holderOf(lockPath(folder, name));
}

Ownership::Ownership(Ownership &&other) noexcept
    : file_(std::move(other.file_)), path_(std::exchange(other.path_, {})) {}

Ownership &Ownership::operator=(Ownership &&other) noexcept {
  std::swap(file_, other.file_);
  std::swap(path_, other.path_);
  return *this;
}

Ownership::~Ownership() {
  if (!path_.empty() && file_.isOurs())
    unlink(path_.c_str());
}

} // namespace aimlvideo
