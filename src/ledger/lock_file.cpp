// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/lock_file.h"

#include <atomic>
#include <cerrno>
#include <set>
#include <utility>

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/glib_ptr.h"
#include "base/mutex.h"

namespace aimlvideo {

namespace {

constexpr int noDescriptor = -1;

/// The descriptors of all LockFiles of this process.
class Registry {
public:
  static Registry &instance() {
    static auto *registry = new Registry; // outlives every worker, also those still running at exit
    return *registry;
  }

  int open(const std::string &path, int flags) EXCLUDES(mutex_) {
    const Lock lock(mutex_); // no fork between the two steps
    const int descriptor = ::open(path.c_str(), flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor >= 0)
      descriptors_.insert(descriptor);
    return descriptor;
  }

  void close(int descriptor) EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    descriptors_.erase(descriptor);
    ::close(descriptor);
  }

  unsigned forks() const { return forks_; }

private:
  Registry() {
    // held from before a fork until after it
    pthread_atfork([]() NO_THREAD_SAFETY_ANALYSIS { instance().mutex_.lock(); },
                   []() NO_THREAD_SAFETY_ANALYSIS { instance().mutex_.unlock(); },
                   []() NO_THREAD_SAFETY_ANALYSIS { instance().forget(); });
  }

  void forget() RELEASE(mutex_) {
    for (const int descriptor : descriptors_)
      ::close(descriptor);
    descriptors_.clear();
    ++forks_;
    mutex_.unlock();
  }

  Mutex mutex_;
  std::set<int> descriptors_ GUARDED_BY(mutex_);
  std::atomic<unsigned> forks_ = 0;
};

} // namespace

ProcessMark::ProcessMark() : process_(getpid()), forks_(Registry::instance().forks()) {}

bool ProcessMark::isOurs() const {
  return process_ == getpid() && forks_ == Registry::instance().forks();
}

tl::expected<LockFile, std::string> LockFile::open(const std::string &path) {
  const int descriptor = Registry::instance().open(path, O_CREAT);
  if (descriptor < 0)
    return tl::unexpected(std::string(g_strerror(errno)));
  return LockFile(descriptor);
}

tl::expected<std::optional<LockFile>, std::string> LockFile::openExisting(const std::string &path) {
  const int descriptor = Registry::instance().open(path, 0);
  if (descriptor >= 0)
    return LockFile(descriptor);
  if (errno == ENOENT)
    return std::optional<LockFile>();
  return tl::unexpected(std::string(g_strerror(errno)));
}

LockFile::LockFile(LockFile &&other) noexcept
    : descriptor_(std::exchange(other.descriptor_, noDescriptor)), process_(other.process_) {}

LockFile &LockFile::operator=(LockFile &&other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(process_, other.process_);
  return *this;
}

LockFile::~LockFile() {
  if (descriptor_ != noDescriptor && isOurs())
    Registry::instance().close(descriptor_);
}

bool LockFile::lock(int operation) {
  int result = 0;
  do
    result = flock(descriptor_, operation | LOCK_NB);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

void LockFile::sign() {
  const std::string pid = std::to_string(getpid()) + "\n";
  // it only serves a message
  if (ftruncate(descriptor_, 0) != 0 || pwrite(descriptor_, pid.data(), pid.size(), 0) < 0)
    errno = 0;
}

std::string LockFile::holderOf(const std::string &path) {
  char *contents = nullptr;
  if (!g_file_get_contents(path.c_str(), &contents, nullptr, nullptr))
    return {};
  const GCharPtr owned(contents);
  const auto pid = g_ascii_strtoll(contents, nullptr, 10);
  if (pid <= 0)
    return "another process";
  return pid == getpid() ? "this process" : "process " + std::to_string(pid);
}

} // namespace aimlvideo
