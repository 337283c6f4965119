// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/clip_store.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <tuple>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gio/gio.h>

#include "base/byte_count.h"
#include "base/folders.h"
#include "base/glib_ptr.h"
#include "base/mutex.h"
#include "base/sha256.h"

namespace aimlvideo {

namespace {

constexpr size_t chunk = 1 << 20; // bytes
constexpr uint64_t proofBytes = 4096;
/// Nothing ends a sync under way, not even the end of the process, which would wait for it. So it is done in pieces.
constexpr uint64_t syncPiece = 16 << 20;
/// So much is synced in any case: a program that ends with its clip, as most do, waits some milliseconds for it.
constexpr uint64_t syncAnyway = 32 << 20;

Failure storeFailure(const std::string &folder, const std::string &why) {
  return failure(ErrorKind::NoSpace, "the clip can't be kept in " + folder, why,
                 "Free some space there, or name another folder in $XDG_CACHE_HOME");
}

/// Files on their way into the store. One that is this old was left behind by a process that was killed.
constexpr auto partSuffix = ".part";
constexpr int64_t second = 1'000'000; // microseconds
constexpr int64_t abandonedAfter = 24 * 60 * 60 * second;

/// Links the spool's unnamed file to a name. False where that is not possible: another file system, or one without
/// unnamed files.
bool link(const Spool &spool, const std::string &path) {
  const std::string self = "/proc/self/fd/" + std::to_string(spool.descriptor());
  return linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

Result<void> copy(const Spool &spool, const std::string &path, const std::string &folder) {
  const int target = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (target < 0)
    return storeFailure(folder, g_strerror(errno));
  std::vector<char> buffer(chunk);
  int cause = 0;
  for (uint64_t offset = 0; cause == 0 && offset < spool.size().value_or(0);) {
    const auto count = spool.read(offset, buffer.data(), buffer.size());
    if (!count || *count == 0)
      cause = EIO;
    else if (write(target, buffer.data(), *count) != static_cast<ssize_t>(*count))
      cause = errno ? errno : ENOSPC;
    else
      offset += *count;
  }
  close(target);
  if (cause == 0)
    return {};
  unlink(path.c_str());
  return storeFailure(folder, g_strerror(cause));
}

/// How much is in each store, as its latest look has found and this process has added. A look reads all of a folder, so
/// that a thousand clips at once would read a thousand names each.
class Sizes {
public:
  static Sizes &instance() {
    static auto *sizes = new Sizes; // outlives every worker, also those still running at exit
    return *sizes;
  }

  void found(const std::string &folder, uint64_t size) EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    stores_[folder] = {g_get_monotonic_time(), size};
  }

  /// What is there with so much more; as much as can be where nobody has looked of late: others add to it as well, and
  /// clips grow old.
  uint64_t grown(const std::string &folder, uint64_t size) EXCLUDES(mutex_) {
    constexpr int64_t fresh = 10 * second;
    const Lock lock(mutex_);
    Store &store = stores_[folder];
    if (store.looked == 0 || g_get_monotonic_time() - store.looked > fresh)
      return UINT64_MAX;
    store.size += size;
    return store.size;
  }

private:
  struct Store {
    int64_t looked = 0;
    uint64_t size = 0;
  };
  Mutex mutex_;
  std::map<std::string, Store> stores_ GUARDED_BY(mutex_);
};

uint64_t numberFrom(const char *variable, uint64_t otherwise) {
  const char *text = g_getenv(variable);
  guint64 number = 0;
  return text && g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &number, nullptr) ? number : otherwise;
}

} // namespace

ClipStore::Limits ClipStore::Limits::fromEnvironment() {
  constexpr uint64_t day = 24ULL * 60 * 60;
  Limits limits;
  const char *size = g_getenv("AIMLVIDEO_CACHE_SIZE");
  limits.size = parseByteCount(size ? size : "").value_or(limits.size);
  limits.age = std::min<uint64_t>(numberFrom("AIMLVIDEO_CACHE_DAYS", limits.age / day), 36500) * day;
  return limits;
}

Result<ClipStore> ClipStore::open(const std::string &folder) {
  if (const auto made = makePrivateFolder(folder); !made)
    return storeFailure(folder, made.error());
  return ClipStore(folder);
}

Result<void> ClipStore::keep(const Spool &spool, const std::string &name, const Limits &limits) const {
  const GCharPtr random(g_uuid_string_random());
  const std::string part = path("." + name + "." + random.get() + partSuffix);
  if (!link(spool, part))
    if (const auto copied = copy(spool, part, folder_); !copied)
      return copied;
  if (rename(part.c_str(), path(name).c_str()) != 0) {
    const std::string why = g_strerror(errno);
    unlink(part.c_str());
    return storeFailure(folder_, why);
  }
  utimensat(AT_FDCWD, path(name).c_str(), nullptr, 0);
  if (Sizes::instance().grown(folder_, spool.size().value_or(0)) > limits.size)
    prune(limits);
  return {};
}

std::shared_ptr<Spool> ClipStore::find(const std::string &name, uint64_t size) const {
  const int descriptor = ::open(path(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0)
    return nullptr;
  struct stat facts{};
  if (fstat(descriptor, &facts) != 0 || static_cast<uint64_t>(facts.st_size) != size) {
    close(descriptor);
    return nullptr;
  }
  return SpoolFile::open(descriptor, size);
}

void ClipStore::markUsed(const std::string &name) const {
  constexpr int64_t minute = 60;
  struct stat facts{};
  const int64_t now = g_get_real_time() / second;
  const bool recent =
      stat(path(name).c_str(), &facts) == 0 && facts.st_mtim.tv_sec <= now && facts.st_mtim.tv_sec > now - minute;
  if (!recent)
    utimensat(AT_FDCWD, path(name).c_str(), nullptr, 0);
}

std::vector<ClipStore::Entry> ClipStore::entries() const {
  std::vector<Entry> entries = files();
  std::erase_if(entries, [](const Entry &entry) { return entry.hidden(); });
  return entries;
}

std::vector<ClipStore::Entry> ClipStore::files() const {
  std::vector<Entry> entries;
  const std::unique_ptr<GDir, void (*)(GDir *)> folder(g_dir_open(folder_.c_str(), 0, nullptr), g_dir_close);
  if (!folder)
    return entries;
  while (const char *name = g_dir_read_name(folder.get())) {
    struct stat facts{};
    if (stat(path(name).c_str(), &facts) == 0 && S_ISREG(facts.st_mode))
      entries.push_back(
          {name, static_cast<uint64_t>(facts.st_size), facts.st_mtim.tv_sec * second + facts.st_mtim.tv_nsec / 1000});
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry &a, const Entry &b) { return std::tie(a.used, a.name) < std::tie(b.used, b.name); });
  return entries;
}

size_t ClipStore::prune(const Limits &limits) const {
  const int64_t now = g_get_real_time();
  const auto all = files();
  uint64_t total = 0;
  for (const Entry &entry : all)
    if (!entry.hidden())
      total += entry.size;
  const auto oldest = now - static_cast<int64_t>(limits.age) * second;
  size_t removed = 0;
  for (const Entry &entry : all) {
    if (entry.hidden()) {
      if (entry.name.ends_with(partSuffix) && entry.used < now - abandonedAfter)
        remove(entry.name);
      continue;
    }
    if (total <= limits.size && entry.used >= oldest)
      continue;
    if (remove(entry.name)) {
      total -= entry.size;
      ++removed;
    }
  }
  Sizes::instance().found(folder_, total);
  return removed;
}

bool ClipStore::remove(const std::string &name) const {
  return unlink(path(name).c_str()) == 0;
}

std::string looksOf(const Spool &spool) {
  struct stat facts{};
  if (fstat(spool.descriptor(), &facts) != 0)
    return {};
  const uint64_t size = spool.size().value_or(0);
  Sha256 ends;
  std::array<char, proofBytes> block{};
  for (const uint64_t offset : {uint64_t{0}, size - std::min(size, proofBytes)}) {
    const auto count = spool.read(offset, block.data(), block.size());
    if (!count)
      return {};
    ends.add({block.data(), *count});
  }
  return std::to_string(facts.st_ino) + "-" + std::to_string(facts.st_size) + "-" +
         std::to_string(facts.st_mtim.tv_sec) + "." + std::to_string(facts.st_mtim.tv_nsec) + "-" + ends.hex();
}

Result<bool> syncToDisk(const Spool &spool, const Cancellation &cancellation) {
  constexpr unsigned wait = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  const uint64_t size = spool.size().value_or(0);
  int cause = 0;
  for (uint64_t offset = 0; cause == 0 && offset < size; offset += syncPiece) {
    if (offset >= syncAnyway && cancellation.cancelled())
      return false;
    if (sync_file_range(spool.descriptor(), static_cast<off_t>(offset), syncPiece, wait) != 0)
      cause = errno;
  }
  if (cause == ENOSYS || cause == EINVAL || cause == ESPIPE)
    cause = 0; // a file system that syncs files as a whole
  if (cause == 0 && fdatasync(spool.descriptor()) != 0)
    cause = errno;
  if (cause != 0)
    return failure(ErrorKind::NoSpace, "a clip can't be written to the disk", g_strerror(cause), "Look at the disk");
  return true;
}

std::optional<std::string> checksumOf(const Spool &spool, const Cancellation &cancellation) {
  Sha256 checksum;
  std::vector<char> buffer(std::min<uint64_t>(chunk, spool.size().value_or(0)));
  for (uint64_t offset = 0; offset < spool.size().value_or(0);) {
    const auto count = spool.read(offset, buffer.data(), buffer.size());
    if (cancellation.cancelled() || !count || *count == 0)
      return std::nullopt;
    checksum.add({buffer.data(), *count});
    offset += *count;
  }
  return checksum.hex();
}

} // namespace aimlvideo
