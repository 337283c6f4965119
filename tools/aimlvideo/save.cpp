// SPDX-License-Identifier: LGPL-2.1-or-later
#include "save.h"

#include <cerrno>
#include <vector>

#include <gio/gio.h>

#include "base/glib_ptr.h"
#include "base/printable.h"

namespace aimlvideo::cli {

namespace {

constexpr auto clipName = "clip";

bool writeAll(int descriptor, const char *bytes, size_t size) {
  while (size > 0) {
    const ssize_t count = write(descriptor, bytes, size);
    if (count < 0 && errno != EINTR)
      return false;
    const size_t written = count > 0 ? static_cast<size_t>(count) : 0;
    bytes += written;
    size -= written;
  }
  return true;
}

} // namespace

std::string pathNamed(const std::string &argument) {
  const auto file = adopt(g_file_new_for_commandline_arg(argument.c_str()));
  const GCharPtr path(g_file_get_path(file.get()));
  return path ? path.get() : argument;
}

Result<void> saveClip(const Spool &clip, const std::string &file, Overwrite overwrite) {
  auto folder = WorkFolder::open(file, OutputKind::File, overwrite);
  if (!folder)
    return tl::unexpected(std::move(folder.error()));
  if (auto created = folder->create(clipName, OutputKind::File); !created)
    return created;
  std::vector<char> buffer(1 << 20);
  for (uint64_t offset = 0; offset < clip.size().value_or(0);) {
    const auto count = clip.read(offset, buffer.data(), buffer.size());
    if (!count)
      return tl::unexpected(count.error());
    if (*count == 0 || !writeAll(folder->descriptor(clipName), buffer.data(), *count))
      return failure(ErrorKind::NoSpace, "the clip can't be written to " + file, g_strerror(errno),
                     "Check the folder and its free space; the clip is kept and can be fetched again");
    offset += *count;
  }
  if (auto settled = folder->settle(clipName); !settled)
    return settled;
  return folder->publish(clipName);
}

void printProgress(const std::string &text) {
  g_printerr("%s\n", printable(text).c_str());
}

} // namespace aimlvideo::cli
