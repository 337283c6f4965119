// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/spool.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

namespace {

int openUnnamed(const std::string &folder) {
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0)
    return descriptor;
  // some file systems have no unnamed files
  std::string name = folder + "/aimlvideo-XXXXXX";
  const int named = g_mkstemp_full(name.data(), O_RDWR | O_CLOEXEC, 0600);
  if (named >= 0)
    unlink(name.c_str());
  return named;
}

Failure diskFailure(int code) {
  return failure(ErrorKind::NoSpace, "the clip can't be kept in a temporary file", g_strerror(code),
                 "Free some space, or name a folder with more of it in temp-dir; the clip itself stays at the service");
}

} // namespace

Result<std::shared_ptr<Spool>> Spool::create(const std::string &folder) {
  int descriptor = -1;
  if (!folder.empty()) {
    descriptor = openUnnamed(folder);
  } else {
    descriptor = openUnnamed("/var/tmp");
    if (descriptor < 0)
      descriptor = openUnnamed(g_get_tmp_dir());
  }
  if (descriptor < 0)
    return diskFailure(errno);
  return std::shared_ptr<Spool>(new Spool(descriptor));
}

std::shared_ptr<Spool> Spool::open(int descriptor, uint64_t size) {
  std::shared_ptr<Spool> spool(new Spool(descriptor));
  spool->size_ = size;
  return spool;
}

Spool::~Spool() {
  close(descriptor_);
}

Result<void> Spool::append(const void *data, size_t size) {
  const auto *bytes = static_cast<const char *>(data);
  while (size > 0) {
    const ssize_t written = pwrite(descriptor_, bytes, size, static_cast<off_t>(size_));
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return diskFailure(written < 0 ? errno : ENOSPC);
    bytes += written;
    size -= static_cast<size_t>(written);
    size_ += static_cast<uint64_t>(written);
  }
  return {};
}

Result<void> Spool::clear() {
  if (ftruncate(descriptor_, 0) != 0)
    return diskFailure(errno);
  size_ = 0;
  return {};
}

Result<size_t> Spool::read(uint64_t offset, void *buffer, size_t size) const {
  auto *bytes = static_cast<char *>(buffer);
  size_t filled = 0;
  while (filled < size) {
    const ssize_t count = pread(descriptor_, bytes + filled, size - filled, static_cast<off_t>(offset + filled));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return diskFailure(errno);
    if (count == 0)
      break;
    filled += static_cast<size_t>(count);
  }
  return filled;
}

} // namespace aimlvideo
