// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/ownership.h"

#include <cerrno>
#include <map>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fcntl.h>
#include <glib.h>

#include "base/folders.h"
#include "base/mutex.h"
#include "base/sha256.h"
#include "ledger/lock_file.h"
#include "ledger/per_process.h"

namespace aimlvideo {

namespace {

Failure lockFailure(const std::string &path, const std::string &why) {
  return failure(ErrorKind::NoSpace, "the lock " + path + " can't be taken, so nothing was bought", why,
                 "Make that folder writable, on a local disk with free space, or name another in $XDG_STATE_HOME");
}

std::string lockPath(const std::string &folder) {
  return folder + "/ownership.lock";
}

/// Where a name is locked in the file: the first byte of a slot of its own. Nothing is ever written there.
///
/// Whoever holds it locks as many bytes as its process number says, so that others can see who it is: the kernel does
/// not tell whose an open file description's lock is. Process numbers end at 2^22, so that slots are never touched by
/// their neighbours' locks.
///
/// Two names may have the same slot (40 bits of a hash). Then one process waits for the other without need, which does
/// no harm. Within a process names differ by themselves.
off_t slotOf(const std::string &name) {
  constexpr size_t digits = 10; // of 4 bits
  constexpr unsigned sizeBits = 23;
  return static_cast<off_t>(g_ascii_strtoull(sha256(name).substr(0, digits).c_str(), nullptr, 16) << sizeBits);
}

/// Whether the path still leads to the open file.
bool isAt(const LockFile &file, const std::string &path) {
  struct stat open{};
  struct stat named{};
  return fstat(file.descriptor(), &open) == 0 && stat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

using Name = std::pair<std::string, std::string>; ///< with its folder before it

struct flock rangeOf(int type, off_t slot, off_t length) {
  struct flock range{};
  range.l_type = static_cast<short>(type);
  range.l_whence = SEEK_SET;
  range.l_start = slot;
  range.l_len = length;
  return range;
}

/// The process that has locked a slot, by another open file than this one; empty where none has.
std::string slotHolder(const LockFile &file, off_t slot) {
  struct flock range = rangeOf(F_WRLCK, slot, 1);
  if (fcntl(file.descriptor(), F_OFD_GETLK, &range) != 0)
    return "another process";
  return range.l_type == F_UNLCK ? "" : "process " + std::to_string(range.l_len);
}

/// The file whose bytes are locked, by one descriptor. For whoever holds the table's mutex.
class SlotFile {
public:
  explicit SlotFile(LockFile file) : file_(std::move(file)) {}

  const LockFile &file() const { return file_; }

  /// False, with errno, where it can't be locked; that is EAGAIN where another process has it.
  bool lock(off_t slot) {
    if (!users_.contains(slot) && !set(F_WRLCK, slot))
      return false;
    ++users_[slot];
    return true;
  }

  void unlock(off_t slot) {
    if (--users_[slot] > 0) // another name of this process with the same slot
      return;
    users_.erase(slot);
    set(F_UNLCK, slot);
  }

private:
  bool set(int type, off_t slot) const {
    struct flock range = rangeOf(type, slot, getpid());
    return fcntl(file_.descriptor(), F_OFD_SETLK, &range) == 0;
  }

  LockFile file_;
  std::map<off_t, unsigned> users_; ///< names of this process by slot
};

/// Versions up to schema 4 of the ledger locked a file for each name (flock), which they removed at the end. One that
/// was started before the ledger was taken over still does, and works on what it had bought until then. It can begin
/// nothing more, so that a look at its file is enough. The folder goes with the last file.
std::string olderPath(const std::string &folder, const std::string &name) {
  return folder + "/locks/" + name;
}

tl::expected<bool, std::string> heldByOlder(const std::string &folder, const std::string &name) {
  const std::string path = olderPath(folder, name);
  auto file = LockFile::openExisting(path);
  if (!file)
    return tl::unexpected(file.error());
  if (!*file)
    return false;
  if (!(*file)->lock(LOCK_EX) || !isAt(**file, path))
    return true;
  unlink(path.c_str()); // its process was killed
  return false;
}

} // namespace

/// Whom a watch calls.
class OwnershipWaiter {
public:
  OwnershipWaiter(Name watched, std::function<void()> released)
      : name(std::move(watched)), released_(std::move(released)) {}

  void call() EXCLUDES(mutex_) {
    Lock lock(mutex_);
    waitForOthers(lock);
    if (!released_)
      return;
    const auto released = released_; // it may stop the watch
    const auto outer = std::exchange(caller_, std::this_thread::get_id());
    {
      const Unlocked callingOut(mutex_);
      released();
    }
    caller_ = outer;
    returned_.notifyAll();
  }
  void stop() EXCLUDES(mutex_) {
    Lock lock(mutex_);
    released_ = nullptr;
    waitForOthers(lock);
  }

  const Name name;
  const ProcessMark process;

private:
  /// For the end of a call that another thread is in.
  void waitForOthers(Lock &lock) REQUIRES(mutex_) {
    while (caller_ != std::thread::id() && caller_ != std::this_thread::get_id())
      returned_.wait(lock);
  }

  Mutex mutex_;
  Condition returned_;
  std::thread::id caller_ GUARDED_BY(mutex_); ///< who is in `released_`; nobody otherwise
  std::function<void()> released_ GUARDED_BY(mutex_);
};

namespace {

/// What is held and waited for in this process.
struct Table {
  Mutex mutex;
  std::set<Name> held GUARDED_BY(mutex);
  std::map<std::string, std::weak_ptr<SlotFile>> files GUARDED_BY(mutex); ///< by folder, open while something is held
  std::multimap<Name, std::shared_ptr<OwnershipWaiter>> waiters GUARDED_BY(mutex);

  tl::expected<std::shared_ptr<SlotFile>, std::string> fileIn(const std::string &folder) REQUIRES(mutex) {
    const std::string path = lockPath(folder);
    auto file = files[folder].lock();
    if (file && isAt(file->file(), path))
      return file;
    if (const auto made = makePrivateFolder(folder); !made)
      return tl::unexpected(made.error());
    rmdir((folder + "/locks").c_str()); // of older versions, when it is empty
    auto opened = LockFile::open(path);
    if (!opened)
      return tl::unexpected(opened.error());
    file = std::make_shared<SlotFile>(std::move(*opened));
    files[folder] = file;
    return file;
  }
};

Table &table() {
  static PerProcess<Table> tables;
  return tables.get();
}

} // namespace

/// An entry of the table. Made while it is locked, of what is locked in the file already.
class Ownership::Hold {
public:
  Hold(Table &table, Name name, std::shared_ptr<SlotFile> file, off_t slot) REQUIRES(table.mutex)
      : table_(table), name_(std::move(name)), file_(std::move(file)), slot_(slot) {
    table_.held.insert(name_);
  }
  Hold(const Hold &) = delete;
  Hold &operator=(const Hold &) = delete;
  ~Hold() {
    if (&table() != &table_) // in a forked child
      return;
    std::vector<std::shared_ptr<OwnershipWaiter>> waiters;
    {
      const Lock lock(table_.mutex);
      table_.held.erase(name_);
      file_->unlock(slot_);
      file_.reset();
      const auto [first, last] = table_.waiters.equal_range(name_);
      for (auto waiter = first; waiter != last; ++waiter)
        waiters.push_back(waiter->second);
    }
    for (const auto &waiter : waiters)
      waiter->call();
  }

private:
  Table &table_;
  const Name name_;
  std::shared_ptr<SlotFile> file_;
  const off_t slot_;
};

Result<std::optional<Ownership>> Ownership::take(const std::string &folder, const std::string &name) {
  Table &mine = table();
  const Lock lock(mine.mutex);
  if (mine.held.contains({folder, name}))
    return std::optional<Ownership>();
  auto file = mine.fileIn(folder);
  if (!file)
    return lockFailure(lockPath(folder), file.error());
  const off_t slot = slotOf(name);
  if (!(*file)->lock(slot)) {
    const int cause = errno;
    if (cause == EAGAIN || cause == EACCES)
      return std::optional<Ownership>();
    return lockFailure(lockPath(folder), g_strerror(cause));
  }
  if (const auto older = heldByOlder(folder, name); !older || *older) {
    (*file)->unlock(slot);
    return older ? Result<std::optional<Ownership>>(std::nullopt) : lockFailure(olderPath(folder, name), older.error());
  }
  return std::optional(Ownership(std::make_unique<Hold>(mine, Name(folder, name), std::move(*file), slot)));
}

bool Ownership::isHeldHere(const std::string &folder, const std::string &name) {
  Table &mine = table();
  const Lock lock(mine.mutex);
  return mine.held.contains({folder, name});
}

std::string Ownership::holder(const std::string &folder, const std::string &name) {
  Table &mine = table();
  const Lock lock(mine.mutex);
  if (mine.held.contains({folder, name}))
    return "this process";
  const auto known = mine.files.find(folder);
  const auto file = known == mine.files.end() ? nullptr : known->second.lock();
  std::string holder;
  if (file && isAt(file->file(), lockPath(folder)))
    holder = slotHolder(file->file(), slotOf(name));
  else if (const auto opened = LockFile::openExisting(lockPath(folder)); opened && *opened)
    holder = slotHolder(**opened, slotOf(name));
  if (!holder.empty())
    return holder;
  const auto older = heldByOlder(folder, name);
  return older && !*older ? "" : LockFile::holderOf(olderPath(folder, name));
}

Ownership::Ownership(std::unique_ptr<Hold> hold) : hold_(std::move(hold)) {}
Ownership::Ownership(Ownership &&other) noexcept = default;
Ownership &Ownership::operator=(Ownership &&other) noexcept = default;
Ownership::~Ownership() = default;

OwnershipWatch::OwnershipWatch(const std::string &folder, const std::string &name, std::function<void()> released)
    : waiter_(std::make_shared<OwnershipWaiter>(Name(folder, name), std::move(released))) {
  Table &mine = table();
  const Lock lock(mine.mutex);
  mine.waiters.emplace(waiter_->name, waiter_);
}

OwnershipWatch::~OwnershipWatch() {
  if (!waiter_->process.isOurs())
    return; // nobody in a forked child could call it
  Table &mine = table();
  {
    const Lock lock(mine.mutex);
    const auto [first, last] = mine.waiters.equal_range(waiter_->name);
    for (auto waiter = first; waiter != last; ++waiter)
      if (waiter->second == waiter_) {
        mine.waiters.erase(waiter);
        break;
      }
  }
  waiter_->stop();
}

} // namespace aimlvideo
