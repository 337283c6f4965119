// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/spool.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

namespace {

int openUnnamed(const std::string &folder) {
  const int descriptor = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0)
    return descriptor;
  // some file systems have no unnamed files
  std::string name = folder + "/aimlvideo-XXXXXX";
  const int named = g_mkstemp_full(name.data(), O_RDWR | O_CLOEXEC, 0600);
  if (named >= 0)
    unlink(name.c_str());
  return named;
}

int openFile(const std::string &folder) {
  if (!folder.empty())
    return openUnnamed(folder);
  const int descriptor = openUnnamed("/var/tmp");
  return descriptor >= 0 ? descriptor : openUnnamed(g_get_tmp_dir());
}

/// Claims the room for a file. Where the file system can't do it, a full disk shows later. 0, or why not.
int claimRoom(int descriptor, uint64_t size) {
  const bool full = fallocate(descriptor, 0, 0, static_cast<off_t>(size)) != 0 && (errno == ENOSPC || errno == EDQUOT);
  return full ? errno : 0;
}

/// 0, or why not all was written.
int writeAll(int descriptor, uint64_t offset, const char *data, size_t size) {
  while (size > 0) {
    const ssize_t count = pwrite(descriptor, data, size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return count < 0 ? errno : ENOSPC;
    offset += static_cast<uint64_t>(count);
    data += count;
    size -= static_cast<size_t>(count);
  }
  return 0;
}

Failure diskFailure(int code) {
  return failure(ErrorKind::NoSpace, "the clip can't be kept in a temporary file", g_strerror(code),
                 "Free some space, or name a folder with more of it in temp-dir; the clip itself stays at the service");
}

} // namespace

Result<std::shared_ptr<SpoolFile>> SpoolFile::create(const std::string &folder) {
  const int descriptor = openFile(folder);
  if (descriptor < 0)
    return diskFailure(errno);
  return std::shared_ptr<SpoolFile>(new SpoolFile(descriptor));
}

std::shared_ptr<SpoolFile> SpoolFile::open(int descriptor, uint64_t size) {
  std::shared_ptr<SpoolFile> spool(new SpoolFile(descriptor));
  const Lock lock(spool->mutex_);
  spool->present_.add(0, size);
  spool->size_ = size;
  return spool;
}

Spool::~Spool() = default;

std::string Spool::mark() const {
  return {};
}

SpoolFile::~SpoolFile() {
  close(descriptor_);
}

std::optional<uint64_t> SpoolFile::size() const {
  const Lock lock(mutex_);
  return size_;
}

bool SpoolFile::complete() const {
  const Lock lock(mutex_);
  return size_ && present_.contains(0, *size_);
}

uint64_t SpoolFile::presentUntil(uint64_t offset) const {
  const Lock lock(mutex_);
  return present_.presentUntil(offset);
}

/// Whether the answer would tell a reader where the clip ends.
bool SpoolFile::reachesEnd(const Demand &demand) const {
  return size_ &&
         (demand.offset >= *size_ || (demand.amount == Amount::Whole && demand.length > *size_ - demand.offset));
}

/// Whether it is only the end's being held that keeps a reader waiting.
bool SpoolFile::isKeptFromEnd(const Waiting &waiting) const {
  return endHeld_ && !waiting.mayHaveEnd && reachesEnd(waiting.demand);
}

/// What a reader can have now; empty if it has to wait.
std::optional<Spool::Arrival> SpoolFile::arrival(const Waiting &waiting) const {
  const Demand &demand = waiting.demand;
  if (isKeptFromEnd(waiting))
    return {};
  uint64_t wanted = demand.length;
  if (size_) {
    if (demand.offset >= *size_)
      return Arrival{Arrival::Kind::End, 0};
    wanted = std::min(wanted, *size_ - demand.offset);
  }
  const uint64_t there = present_.presentUntil(demand.offset) - demand.offset;
  if (there < (demand.amount == Amount::Any ? std::min<uint64_t>(wanted, 1) : wanted))
    return {};
  return Arrival{Arrival::Kind::There, std::min(there, wanted)};
}

Spool::Arrival SpoolFile::await(const Demand &demand, const std::function<bool()> &stop) {
  Lock lock(mutex_);
  lastAsked_ = demand.offset;
  auto result = arrival({demand});
  if (!result) {
    waiting_.push_back({demand});
    const auto place = std::prev(waiting_.end());
    ++waits_;
    if (demandListener_ && !isExpected(*place))
      demandListener_();
    while (!(result = arrival(*place)) && !stop())
      changed_.wait(lock);
    waiting_.erase(place);
  }
  if (!result)
    return {};
  handedOut_ = handedOut_ || result->kind == Arrival::Kind::There;
  endTold_ = endTold_ || reachesEnd(demand);
  return *result;
}

void SpoolFile::wake() {
  {
    const Lock lock(mutex_); // a reader is either before its look at `stop`, or asleep
  }
  changed_.notifyAll();
}

Result<size_t> SpoolFile::read(uint64_t offset, void *buffer, size_t size) const {
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

Result<bool> SpoolFile::write(uint64_t offset, const void *data, size_t size) {
  const auto *bytes = static_cast<const char *>(data);
  while (size > 0) {
    const uint64_t presentEnd = present().presentUntil(offset);
    const uint64_t pieceEnd = presentEnd > offset ? presentEnd : present().nextRun(offset).value_or(UINT64_MAX);
    const auto piece = static_cast<size_t>(std::min<uint64_t>(size, pieceEnd - offset));
    if (presentEnd > offset) {
      const auto equal = same(offset, bytes, piece);
      if (!equal || !*equal)
        return equal;
    } else if (const auto done = put(offset, bytes, piece); !done) {
      return tl::unexpected(done.error());
    }
    offset += piece;
    bytes += piece;
    size -= piece;
  }
  return true;
}

Result<void> SpoolFile::put(uint64_t offset, const char *data, size_t size) {
  if (const int cause = writeAll(descriptor_, offset, data, size); cause != 0)
    return diskFailure(cause);
  bool wanted = false;
  {
    const Lock lock(mutex_);
    present_.add(offset, offset + size);
    wanted = std::any_of(waiting_.begin(), waiting_.end(),
                         [this](const Waiting &w) REQUIRES(mutex_) { return arrival(w).has_value(); });
  }
  if (wanted)
    changed_.notifyAll();
  return {};
}

Result<bool> SpoolFile::same(uint64_t offset, const char *data, size_t size) const {
  std::array<char, 16 * 1024> there;
  while (size > 0) {
    const size_t piece = std::min(size, there.size());
    const auto count = read(offset, there.data(), piece);
    if (!count)
      return tl::unexpected(count.error());
    if (*count != piece || std::memcmp(there.data(), data, piece) != 0)
      return false;
    offset += piece;
    data += piece;
    size -= piece;
  }
  return true;
}

Result<void> SpoolFile::setSize(uint64_t size) {
  if (const int cause = claimRoom(descriptor_, size); cause != 0)
    return diskFailure(cause);
  {
    const Lock lock(mutex_);
    size_ = size;
  }
  changed_.notifyAll();
  return {};
}

Result<bool> SpoolFile::clear() {
  const Lock lock(mutex_);
  if (handedOut_)
    return false;
  if (ftruncate(descriptor_, 0) != 0)
    return diskFailure(errno);
  present_.clear();
  size_.reset();
  return true;
}

Result<void> SpoolFile::moveTo(const std::string &folder) {
  const int target = openFile(folder);
  if (target < 0)
    return diskFailure(errno);
  auto done = copyTo(target);
  // a reader at work ends it with the old file, which has the same bytes
  if (done && dup3(target, descriptor_, O_CLOEXEC) < 0)
    done = diskFailure(errno);
  close(target);
  return done;
}

Result<void> SpoolFile::copyTo(int descriptor) const {
  std::array<char, 64 * 1024> block;
  for (std::optional<uint64_t> at = 0; at; at = present().nextRun(*at)) {
    for (const uint64_t end = present().presentUntil(*at); *at < end;) {
      const auto count = read(*at, block.data(), static_cast<size_t>(std::min<uint64_t>(block.size(), end - *at)));
      if (!count)
        return tl::unexpected(count.error());
      if (*count == 0)
        return diskFailure(EIO);
      if (const int cause = writeAll(descriptor, *at, block.data(), *count); cause != 0)
        return diskFailure(cause);
      *at += *count;
    }
  }
  const auto whole = size();
  const int cause = whole ? claimRoom(descriptor, *whole) : 0;
  return cause == 0 ? Result<void>() : diskFailure(cause);
}

void SpoolFile::holdEnd() {
  const Lock lock(mutex_);
  endHeld_ = true;
}

void SpoolFile::tellEnd() {
  {
    const Lock lock(mutex_);
    for (Waiting &waiting : waiting_)
      waiting.mayHaveEnd = true;
  }
  changed_.notifyAll();
}

void SpoolFile::releaseEnd() {
  {
    const Lock lock(mutex_);
    endHeld_ = false;
  }
  changed_.notifyAll();
}

bool SpoolFile::forgetSize() {
  const Lock lock(mutex_);
  if (endTold_)
    return false;
  size_.reset();
  return true;
}

SpoolFile::Facts SpoolFile::facts() const {
  const Lock lock(mutex_);
  Facts facts;
  facts.size = size_;
  if (!waiting_.empty())
    facts.demand = waiting_.back().demand;
  facts.lastAsked = lastAsked_;
  facts.endWanted = std::any_of(waiting_.begin(), waiting_.end(),
                                [this](const Waiting &waiting) REQUIRES(mutex_) { return isKeptFromEnd(waiting); });
  facts.waits = waits_;
  return facts;
}

/// Whether the writer brings what a reader waits for without being asked.
bool SpoolFile::isExpected(const Waiting &waiting) const {
  const uint64_t missing = present_.presentUntil(waiting.demand.offset);
  return expectedFrom_ <= missing && missing < expectedUntil_ && !isKeptFromEnd(waiting);
}

bool SpoolFile::tellOfReaders(uint64_t first, uint64_t end, const Facts &seen, std::function<void()> listener) {
  const Lock lock(mutex_);
  expectedFrom_ = first;
  expectedUntil_ = end;
  if (waits_ != seen.waits &&
      !std::all_of(waiting_.begin(), waiting_.end(),
                   [this](const Waiting &waiting) REQUIRES(mutex_) { return isExpected(waiting); }))
    listener = nullptr;
  demandListener_ = std::move(listener);
  return demandListener_ != nullptr;
}

void SpoolFile::tellNobody() {
  const Lock lock(mutex_);
  demandListener_ = nullptr;
}

} // namespace aimlvideo
