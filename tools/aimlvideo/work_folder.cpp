// SPDX-License-Identifier: LGPL-2.1-or-later
#include "work_folder.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <glib.h>

#include "base/glib_ptr.h"

namespace aimlvideo::cli {

namespace {

constexpr auto playlist = "index.m3u8";
constexpr auto byChance = "XXXXXX";
/// Lies in every work folder and tells it from a folder that only has such a name.
constexpr auto mark = "aimlvideo-work-folder";
constexpr int asFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int asNewFile = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

std::string folderOf(const std::string &path) {
  const GCharPtr folder(g_path_get_dirname(path.c_str()));
  return folder.get();
}

std::string nameOf(const std::string &path) {
  const GCharPtr name(g_path_get_basename(path.c_str()));
  return name.get();
}

/// How the names of the folders begin in which an output is made.
std::string prefixFor(const std::string &output) {
  return "." + nameOf(output) + ".part-";
}

Failure notWritten(const std::string &output, const std::string &why, const std::string &remedy = {}) {
  return failure(ErrorKind::NoSpace, output + " can't be written", why, remedy);
}

Failure exists(const std::string &output, const std::string &remedy = "--force overwrites it") {
  return failure(ErrorKind::BadRequest, output + " exists already", "", remedy);
}

/// Only what this program has made goes with --force: a playlist, its segments and their mark.
bool isStream(const std::string &folder) {
  std::error_code error;
  bool hasPlaylist = false;
  for (const auto &entry : std::filesystem::directory_iterator(folder, error)) {
    if (!entry.is_regular_file(error))
      return false;
    const std::string name = entry.path().filename();
    hasPlaylist = hasPlaylist || name == playlist;
    if (name != playlist && name != streamMarkName && entry.path().extension() != ".ts")
      return false;
  }
  return hasPlaylist && !error;
}

/// Leads to what is open, whoever gives its name to something else.
std::string pathOf(const Descriptor &descriptor) {
  return "/proc/self/fd/" + std::to_string(descriptor.number());
}

/// Whether a folder is this user's and nobody else's.
bool isPrivate(const Descriptor &folder) {
  struct stat facts{};
  return fstat(folder.number(), &facts) == 0 && facts.st_uid == geteuid() && (facts.st_mode & 077) == 0;
}

bool isMarked(const Descriptor &folder) {
  struct stat facts{};
  return fstatat(folder.number(), mark, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(facts.st_mode) &&
         facts.st_uid == geteuid();
}

/// Removes a folder with all that is in it; symbolic links are removed and not followed.
void removeFolder(const Descriptor &parent, const std::string &name, const Descriptor &folder) {
  std::error_code error;
  std::vector<std::filesystem::path> entries;
  for (const auto &entry : std::filesystem::directory_iterator(pathOf(folder), error))
    if (entry.path().filename() != mark)
      entries.push_back(entry.path());
  for (const auto &entry : entries)
    std::filesystem::remove_all(entry, error);
  unlinkat(folder.number(), mark, 0); // the last, so that what is left by a kill here is known for what it is
  unlinkat(parent.number(), name.c_str(), AT_REMOVEDIR);
}

/// Removes what runs left beside an output that were killed, but for the folder `own`. False: one is at work.
bool clear(const std::string &output, const Descriptor &parent, const std::string &own) {
  const std::string prefix = prefixFor(output);
  std::error_code error;
  std::vector<std::string> names;
  for (const auto &entry : std::filesystem::directory_iterator(pathOf(parent), error))
    if (const std::string name = entry.path().filename();
        name.starts_with(prefix) && name.size() == prefix.size() + strlen(byChance) && name != own)
      names.push_back(name);
  bool alone = true;
  for (const std::string &name : names) {
    const Descriptor folder(openat(parent.number(), name.c_str(), asFolder));
    if (!folder.isOpen() || !isPrivate(folder) || !isMarked(folder))
      continue;
    if (flock(folder.number(), LOCK_EX | LOCK_NB) == 0)
      removeFolder(parent, name, folder);
    else
      alone = false;
  }
  return alone;
}

bool synchronise(int descriptor) {
  return fsync(descriptor) == 0;
}

/// Both names are on one file system, so that nobody ever sees a part of it.
bool moveTo(const Descriptor &folder, const std::string &from, const Descriptor &parent, const std::string &to,
            unsigned flags) {
  if (renameat2(folder.number(), from.c_str(), parent.number(), to.c_str(), flags) == 0)
    return true;
  if (errno != EINVAL || flags != RENAME_NOREPLACE)
    return false;
  // a file system without this: the look before may be outrun, the rename is still whole
  struct stat facts{};
  if (fstatat(parent.number(), to.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = EEXIST;
    return false;
  }
  return renameat(folder.number(), from.c_str(), parent.number(), to.c_str()) == 0;
}

} // namespace

Result<void> checkOutput(const std::string &output, OutputKind kind, Overwrite overwrite) {
  const std::string name = nameOf(output);
  if (output.empty() || output.ends_with('/') || name == "." || name == "..")
    return failure(ErrorKind::BadRequest, "\"" + output + "\" is not a valid name for an output");
  const std::string folder = folderOf(output);
  if (!g_file_test(folder.c_str(), G_FILE_TEST_IS_DIR))
    return failure(ErrorKind::NotFound, output + " can't be written", "there is no folder " + folder);
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    return notWritten(output, g_strerror(errno));
  struct stat present{};
  if (lstat(output.c_str(), &present) != 0)
    return {};
  if (overwrite == Overwrite::No)
    return exists(output);
  if (kind == OutputKind::File && S_ISDIR(present.st_mode))
    return exists(output, "It is a folder, which is not overwritten by a file");
  if (kind == OutputKind::Folder && (!S_ISDIR(present.st_mode) || !isStream(output)))
    return exists(output, "It is not a folder with only a playlist and its segments, so it is not overwritten");
  return {};
}

void WorkFolder::sweep(const std::string &output) {
  const Descriptor parent(::open(folderOf(output).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.isOpen())
    clear(output, parent, "");
}

Result<WorkFolder> WorkFolder::open(const std::string &output, OutputKind kind, Overwrite overwrite) {
  if (auto allowed = checkOutput(output, kind, overwrite); !allowed)
    return tl::unexpected(std::move(allowed.error()));
  Descriptor parent(::open(folderOf(output).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::string path = pathOf(parent) + "/" + prefixFor(output) + byChance;
  if (!parent.isOpen() || !mkdtemp(path.data()))
    return notWritten(output, g_strerror(errno));
  const std::string name = nameOf(path);
  Descriptor folder(openat(parent.number(), name.c_str(), asFolder));
  // locked before it is marked: one that is marked and not locked was left by somebody who was killed
  const bool locked = folder.isOpen() && flock(folder.number(), LOCK_EX | LOCK_NB) == 0;
  if (!locked || !Descriptor(openat(folder.number(), mark, asNewFile, 0600)).isOpen()) {
    const int cause = errno;
    unlinkat(parent.number(), name.c_str(), AT_REMOVEDIR);
    return notWritten(output, g_strerror(cause));
  }
  WorkFolder made(output, name, std::move(parent), std::move(folder), kind, overwrite);
  if (kind == OutputKind::Folder && !isPrivate(made.folder_))
    return notWritten(output, "its folder is on a file system that keeps no owners and permissions",
                      "Others could write into the stream while it is made: choose another folder");
  if (!clear(output, made.parent_, name))
    return failure(ErrorKind::Busy, output + " can't be written", "another process is making it");
  return made;
}

void WorkFolder::remove() {
  if (folder_.isOpen() && !std::exchange(removed_, true))
    removeFolder(parent_, name_, folder_);
}

Result<void> WorkFolder::create(const std::string &name, OutputKind kind) {
  const int folder = folder_.number();
  Descriptor made;
  if (kind == OutputKind::File) // less the umask, as any file
    made = Descriptor(openat(folder, name.c_str(), asNewFile, 0666));
  else if (mkdirat(folder, name.c_str(), 0777) == 0)
    made = Descriptor(openat(folder, name.c_str(), asFolder));
  if (!made.isOpen())
    return notWritten(output_, g_strerror(errno));
  struct stat facts{};
  fstat(made.number(), &facts);
  permissions_[name] = facts.st_mode & 0777;
  made_[name] = std::move(made);
  return {};
}

std::string WorkFolder::folderPath() const {
  return pathOf(folder_);
}

Result<void> WorkFolder::reopen(const std::string &name) {
  Descriptor now(openat(folder_.number(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat facts{};
  const bool isOwn = now.isOpen() && fstat(now.number(), &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size > 0 &&
                     facts.st_nlink == 1;
  if (!isOwn || fchmod(now.number(), permissions_.at(name)) != 0)
    return notWritten(output_, "what is in its place is no file of its own that can be read");
  made_[name] = std::move(now);
  return {};
}

std::string WorkFolder::path(const std::string &name) const {
  return pathOf(made_.at(name));
}

Result<void> WorkFolder::settle(const std::string &name) const {
  const Descriptor &made = made_.at(name);
  std::error_code error;
  if (kind_ == OutputKind::Folder)
    for (const auto &entry : std::filesystem::directory_iterator(path(name), error)) {
      const Descriptor file(openat(made.number(), entry.path().filename().c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
      if (!file.isOpen() || !synchronise(file.number()))
        return notWritten(output_, g_strerror(errno));
    }
  if (error || !synchronise(made.number()))
    return notWritten(output_, error ? error.message() : g_strerror(errno));
  return {};
}

Result<void> WorkFolder::publish(const std::string &name) {
  const std::string target = nameOf(output_);
  struct stat present{};
  const bool replaces =
      overwrite_ == Overwrite::Yes && fstatat(parent_.number(), target.c_str(), &present, AT_SYMLINK_NOFOLLOW) == 0;
  // the folder that it replaces ends in the work folder, and goes with it
  const unsigned flags = !replaces ? RENAME_NOREPLACE : kind_ == OutputKind::Folder ? RENAME_EXCHANGE : 0U;
  if (!moveTo(folder_, name, parent_, target, flags))
    return errno == EEXIST ? exists(output_) : notWritten(output_, g_strerror(errno));
  synchronise(parent_.number());
  return {};
}

} // namespace aimlvideo::cli
