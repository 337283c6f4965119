// SPDX-License-Identifier: LGPL-2.1-or-later
#include "work_folder.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "base/glib_ptr.h"

namespace aimlvideo::cli {

namespace {

constexpr int noDescriptor = -1;
constexpr auto playlist = "index.m3u8";

std::string folderOf(const std::string &path) {
  const GCharPtr folder(g_path_get_dirname(path.c_str()));
  return folder.get();
}

std::string nameOf(const std::string &path) {
  const GCharPtr name(g_path_get_basename(path.c_str()));
  return name.get();
}

/// The folder in which an output is made.
std::string pathFor(const std::string &output) {
  return folderOf(output) + "/." + nameOf(output) + ".part";
}

Failure notWritten(const std::string &output, const std::string &why, const std::string &remedy = {}) {
  return failure(ErrorKind::NoSpace, output + " can't be written", why, remedy);
}

Failure exists(const std::string &output, const std::string &remedy = "--force overwrites it") {
  return failure(ErrorKind::BadRequest, output + " exists already", "", remedy);
}

/// Only what this program has made goes with --force: a playlist and its segments.
bool isStream(const std::string &folder) {
  std::error_code error;
  bool hasPlaylist = false;
  for (const auto &entry : std::filesystem::directory_iterator(folder, error)) {
    if (!entry.is_regular_file(error))
      return false;
    hasPlaylist = hasPlaylist || entry.path().filename() == playlist;
    if (entry.path().filename() != playlist && entry.path().extension() != ".ts")
      return false;
  }
  return hasPlaylist && !error;
}

bool synchronise(const std::string &path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = descriptor >= 0 && fsync(descriptor) == 0;
  const int cause = errno;
  if (descriptor >= 0)
    close(descriptor);
  errno = cause;
  return done;
}

/// Both names are on one file system, so that nobody ever sees a part of it.
bool moveTo(const std::string &from, const std::string &to, unsigned flags) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0)
    return true;
  if (errno != EINVAL || flags != RENAME_NOREPLACE)
    return false;
  // a file system without this: the look before may be outrun, the rename is whole all the same
  if (g_file_test(to.c_str(), G_FILE_TEST_EXISTS)) {
    errno = EEXIST;
    return false;
  }
  return std::rename(from.c_str(), to.c_str()) == 0;
}

} // namespace

void removeTree(const std::string &folder) {
  std::error_code error;
  std::filesystem::remove_all(folder, error);
}

Result<void> checkOutput(const std::string &output, OutputKind kind, Overwrite overwrite) {
  const std::string name = nameOf(output);
  if (output.empty() || output.ends_with('/') || name == "." || name == "..")
    return failure(ErrorKind::BadRequest, "\"" + output + "\" is no name for an output");
  const std::string folder = folderOf(output);
  if (!g_file_test(folder.c_str(), G_FILE_TEST_IS_DIR))
    return failure(ErrorKind::NotFound, output + " can't be written", "there is no folder " + folder);
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    return notWritten(output, g_strerror(errno));
  struct stat present {};
  if (lstat(output.c_str(), &present) != 0)
    return {};
  if (overwrite == Overwrite::No)
    return exists(output);
  if (kind == OutputKind::File && S_ISDIR(present.st_mode))
    return exists(output, "It is a folder, which is not overwritten by a file");
  if (kind == OutputKind::Folder && (!S_ISDIR(present.st_mode) || !isStream(output)))
    return exists(output, "It is no folder with a playlist and its segments alone, so it is not overwritten");
  return {};
}

void WorkFolder::sweep(const std::string &output) {
  const std::string folder = pathFor(output);
  const int lock = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (lock < 0)
    return;
  if (flock(lock, LOCK_EX | LOCK_NB) == 0)
    removeTree(folder);
  close(lock);
}

Result<WorkFolder> WorkFolder::open(const std::string &output, OutputKind kind, Overwrite overwrite) {
  if (auto allowed = checkOutput(output, kind, overwrite); !allowed)
    return tl::unexpected(std::move(allowed.error()));
  const std::string folder = pathFor(output);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return notWritten(output, g_strerror(errno));
  const int lock = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (lock < 0)
    return notWritten(output, g_strerror(errno));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    close(lock);
    return failure(ErrorKind::Busy, output + " can't be written", "another process is making it");
  }
  std::error_code error;
  for (const auto &left : std::filesystem::directory_iterator(folder, error))
    removeTree(left.path());
  return WorkFolder(output, folder, lock, kind, overwrite);
}

WorkFolder::WorkFolder(WorkFolder &&other) noexcept
    : output_(std::move(other.output_)),
      folder_(std::exchange(other.folder_, {})),
      lock_(std::exchange(other.lock_, noDescriptor)),
      kind_(other.kind_),
      overwrite_(other.overwrite_) {}

WorkFolder &WorkFolder::operator=(WorkFolder &&other) noexcept {
  std::swap(output_, other.output_);
  std::swap(folder_, other.folder_);
  std::swap(lock_, other.lock_);
  std::swap(kind_, other.kind_);
  std::swap(overwrite_, other.overwrite_);
  return *this;
}

WorkFolder::~WorkFolder() {
  if (!folder_.empty())
    removeTree(folder_);
  if (lock_ != noDescriptor)
    close(lock_);
}

Result<void> WorkFolder::settle(const std::string &name) const {
  const std::string made = path(name);
  std::error_code error;
  if (kind_ == OutputKind::Folder)
    for (const auto &entry : std::filesystem::directory_iterator(made, error))
      if (!synchronise(entry.path()))
        return notWritten(output_, g_strerror(errno));
  if (error || !synchronise(made))
    return notWritten(output_, error ? error.message() : g_strerror(errno));
  return {};
}

Result<void> WorkFolder::publish(const std::string &name) {
  const std::string made = path(name);
  const bool replaces = overwrite_ == Overwrite::Yes && g_file_test(output_.c_str(), G_FILE_TEST_EXISTS);
  // the folder that it replaces ends in the work folder, and goes with it
  const unsigned flags = !replaces ? RENAME_NOREPLACE : kind_ == OutputKind::Folder ? RENAME_EXCHANGE : 0U;
  if (!moveTo(made, output_, flags))
    return errno == EEXIST ? exists(output_) : notWritten(output_, g_strerror(errno));
  synchronise(folderOf(output_));
  return {};
}

} // namespace aimlvideo::cli
