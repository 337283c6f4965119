// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/ownership.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "base/glib_ptr.h"
#include "ledger/folders.h"

namespace aimlvideo {

namespace {

constexpr int noDescriptor = -1;

Failure lockFailure(const std::string &path, const std::string &why) {
  return failure(ErrorKind::NoSpace, "the lock " + path + " can't be taken, so nothing was bought", why,
                 "Make that folder writable, on a local disk with free space, or name another in $XDG_STATE_HOME");
}

std::string lockPath(const std::string &folder, const std::string &name) {
  return folder + "/locks/" + name;
}

int lockWithoutWaiting(int descriptor) {
  int result = 0;
  do
    result = flock(descriptor, LOCK_EX | LOCK_NB);
  while (result != 0 && errno == EINTR);
  return result;
}

/// Whether the path still leads to the open file: the previous owner removes it before it lets go.
bool isStill(int descriptor, const std::string &path) {
  struct stat open {};
  struct stat named {};
  return fstat(descriptor, &open) == 0 && stat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

void writeHolder(int descriptor) {
  const std::string pid = std::to_string(getpid()) + "\n";
  // it only serves a message
  if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, pid.data(), pid.size(), 0) < 0)
    errno = 0;
}

} // namespace

Result<std::optional<Ownership>> Ownership::take(const std::string &folder, const std::string &name) {
  const std::string path = lockPath(folder, name);
  if (const auto made = makePrivateFolder(folder + "/locks"); !made)
    return lockFailure(path, made.error());
  for (;;) {
    const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
      return lockFailure(path, g_strerror(errno));
    Ownership ownership(descriptor, path);
    if (lockWithoutWaiting(descriptor) != 0) {
      const int cause = errno;
      ownership.path_.clear(); // not ours to remove
      if (cause == EWOULDBLOCK)
        return std::optional<Ownership>();
      return lockFailure(path, g_strerror(cause));
    }
    if (isStill(descriptor, path)) {
      writeHolder(descriptor);
      return std::optional(std::move(ownership));
    }
    ownership.path_.clear();
  }
}

std::string Ownership::holder(const std::string &folder, const std::string &name) {
  char *contents = nullptr;
  if (!g_file_get_contents(lockPath(folder, name).c_str(), &contents, nullptr, nullptr))
    return {};
  const GCharPtr owned(contents);
  const auto pid = g_ascii_strtoll(contents, nullptr, 10);
  if (pid <= 0)
    return "another process";
  return pid == getpid() ? "this process" : "process " + std::to_string(pid);
}

Ownership::Ownership(Ownership &&other) noexcept
    : descriptor_(std::exchange(other.descriptor_, noDescriptor)), path_(std::move(other.path_)) {
  other.path_.clear();
}

Ownership &Ownership::operator=(Ownership &&other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

Ownership::~Ownership() {
  if (descriptor_ == noDescriptor)
    return;
  if (!path_.empty())
    unlink(path_.c_str());
  close(descriptor_);
}

} // namespace aimlvideo
