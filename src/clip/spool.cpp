// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/spool.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
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
  spool->present_.add(0, size);
  spool->size_ = size;
  return spool;
}

Spool::~Spool() {
  close(descriptor_);
}

std::optional<uint64_t> Spool::size() const {
  const std::lock_guard lock(mutex_);
  return size_;
}

bool Spool::complete() const {
  const std::lock_guard lock(mutex_);
  return size_ && present_.contains(0, *size_);
}

/// What a reader with this demand can have now; nothing where it has to wait.
std::optional<Spool::Arrival> Spool::arrival(const Demand &demand) const {
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

Spool::Arrival Spool::await(const Demand &demand, const std::function<bool()> &stop) {
  std::unique_lock lock(mutex_);
  lastAsked_ = demand.offset;
  auto result = arrival(demand);
  if (!result) {
    waiting_.push_back(demand);
    const auto place = std::prev(waiting_.end());
    if (demandListener_)
      demandListener_();
    changed_.wait(lock, [&] { return (result = arrival(demand)) || stop(); });
    waiting_.erase(place);
  }
  if (!result)
    return {};
  handedOut_ = handedOut_ || result->kind == Arrival::Kind::There;
  return *result;
}

void Spool::wake() {
  {
    const std::lock_guard lock(mutex_); // a reader is either before its look at `stop`, or asleep
  }
  changed_.notify_all();
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

std::optional<Spool::Mapping> Spool::map(uint64_t offset, size_t size) const {
  static const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const auto skipped = static_cast<size_t>(offset % page);
  void *base = mmap(nullptr, skipped + size, PROT_READ, MAP_SHARED, descriptor_, static_cast<off_t>(offset - skipped));
  if (base == MAP_FAILED)
    return {};
  return Mapping(base, skipped + size, skipped);
}

Spool::Mapping::~Mapping() {
  if (base_)
    munmap(base_, length_);
}

Result<bool> Spool::write(uint64_t offset, const void *data, size_t size) {
  const auto *bytes = static_cast<const char *>(data);
  while (size > 0) {
    const uint64_t presentEnd = present_.presentUntil(offset);
    const uint64_t pieceEnd = presentEnd > offset ? presentEnd : present_.nextRun(offset).value_or(UINT64_MAX);
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

Result<void> Spool::put(uint64_t offset, const char *data, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t count = pwrite(descriptor_, data + done, size - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return diskFailure(count < 0 ? errno : ENOSPC);
    done += static_cast<size_t>(count);
  }
  bool wanted = false;
  {
    const std::lock_guard lock(mutex_);
    present_.add(offset, offset + size);
    wanted = std::any_of(waiting_.begin(), waiting_.end(), [this](const Demand &d) { return arrival(d).has_value(); });
  }
  if (wanted)
    changed_.notify_all();
  return {};
}

Result<bool> Spool::same(uint64_t offset, const char *data, size_t size) const {
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

void Spool::setSize(uint64_t size) {
  {
    const std::lock_guard lock(mutex_);
    size_ = size;
  }
  changed_.notify_all();
}

Result<bool> Spool::clear() {
  const std::lock_guard lock(mutex_);
  if (handedOut_)
    return false;
  if (ftruncate(descriptor_, 0) != 0)
    return diskFailure(errno);
  present_.clear();
  size_.reset();
  return true;
}

std::optional<Spool::Demand> Spool::demand() const {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty())
    return {};
  return waiting_.back();
}

void Spool::setDemandListener(std::function<void()> listener) {
  const std::lock_guard lock(mutex_);
  demandListener_ = std::move(listener);
}

uint64_t Spool::lastAsked() const {
  const std::lock_guard lock(mutex_);
  return lastAsked_;
}

} // namespace aimlvideo
