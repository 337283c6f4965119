// SPDX-License-Identifier: LGPL-2.1-or-later
#include "save.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include <aimlvideo/printable.h>

#include "base/glib_ptr.h"

namespace aimlvideo::cli {

namespace {

constexpr auto clipName = "clip";

/// Shares blocks where the file system can, and else copies within the kernel. Returns how far it has come.
uint64_t copyInKernel(const Spool &clip, int target, uint64_t size) {
  off64_t offset = 0;
  while (static_cast<uint64_t>(offset) < size) {
    const ssize_t count =
        copy_file_range(clip.descriptor(), &offset, target, nullptr, size - static_cast<uint64_t>(offset), 0);
    if (count == 0 || (count < 0 && errno != EINTR))
      break;
  }
  return static_cast<uint64_t>(offset);
}

bool writeAll(int target, const char *bytes, size_t size) {
  while (size > 0) {
    const ssize_t count = write(target, bytes, size);
    if (count < 0 && errno != EINTR)
      return false;
    const size_t written = count > 0 ? static_cast<size_t>(count) : 0;
    bytes += written;
    size -= written;
  }
  return true;
}

/// By errno.
Failure notWritten(const std::string &file) {
  return failure(ErrorKind::NoSpace, "the clip can't be written to " + file, g_strerror(errno),
                 errno == EPIPE ? "Whoever was to read it has gone; the clip is kept and can be fetched again"
                                : "Check the folder and its free space; the clip is kept and can be fetched again");
}

} // namespace

std::string pathNamed(const std::string &argument) {
  const auto file = adopt(g_file_new_for_commandline_arg(argument.c_str()));
  const GCharPtr path(g_file_get_path(file.get()));
  return path ? path.get() : argument;
}

std::string pathOf(const Spool &clip) {
  return "/proc/self/fd/" + std::to_string(clip.descriptor());
}

std::string pathOf(const Descriptor &file) {
  return "/proc/self/fd/" + std::to_string(file.number());
}

Result<void> copyClip(const Spool &clip, int target, const std::string &file) {
  const uint64_t size = clip.size().value_or(0);
  uint64_t offset = copyInKernel(clip, target, size);
  // where the kernel can't, and to learn from errno what is wrong
  std::vector<char> buffer(offset < size ? 1 << 20 : 0);
  while (offset < size) {
    const auto count = clip.read(offset, buffer.data(), std::min<uint64_t>(buffer.size(), size - offset));
    if (!count)
      return tl::unexpected(count.error());
    errno = EIO; // of a clip that ends before its size
    if (*count == 0 || !writeAll(target, buffer.data(), *count))
      return notWritten(file);
    offset += *count;
  }
  return {};
}

Result<void> copyFile(int source, int target, const std::string &file) {
  std::vector<char> buffer(1 << 20);
  for (off_t offset = 0;;) {
    const ssize_t count = pread(source, buffer.data(), buffer.size(), offset);
    if (count == 0)
      return {};
    if (count < 0 ? errno != EINTR : !writeAll(target, buffer.data(), static_cast<size_t>(count)))
      return notWritten(file);
    offset += std::max<ssize_t>(count, 0);
  }
}

Result<Descriptor> namelessFile(const std::string &folder) {
  int number = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (number < 0) { // not every file system has these
    std::string name = folder + "/aimlvideo-XXXXXX";
    number = g_mkstemp_full(name.data(), O_RDWR | O_CLOEXEC, 0600);
    if (number >= 0)
      unlink(name.c_str());
  }
  if (number < 0)
    return failure(ErrorKind::NoSpace, "nothing can be written to " + folder, g_strerror(errno),
                   "Name another folder with --temp-dir");
  return Descriptor(number);
}

Result<void> saveClip(const Spool &clip, const std::string &file, Overwrite overwrite) {
  auto folder = WorkFolder::open(file, OutputKind::File, overwrite);
  if (!folder)
    return tl::unexpected(std::move(folder.error()));
  if (auto created = folder->create(clipName, OutputKind::File); !created)
    return created;
  if (auto copied = copyClip(clip, folder->descriptor(clipName), file); !copied)
    return copied;
  if (auto settled = folder->settle(clipName); !settled)
    return settled;
  return folder->publish(clipName);
}

void printProgress(const std::string &text) {
  g_printerr("%s\n", printable(text).c_str());
}

} // namespace aimlvideo::cli
