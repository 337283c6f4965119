// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/descriptors.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mutex.h"
#include "generation/context.h"

namespace aimlvideo {

namespace {

constexpr std::chrono::milliseconds pause{100};

size_t limit() {
  rlimit limits{};
  return getrlimit(RLIMIT_NOFILE, &limits) == 0 ? static_cast<size_t>(limits.rlim_cur) : RLIM_INFINITY;
}

/// For connections, and for what the rest of the process opens meanwhile.
size_t reserve(size_t most) {
  return std::clamp<size_t>(most / 8, 12, 128);
}

/// How many are open; all of them where that can't be seen for want of one, none where nobody can tell.
size_t opened(size_t most) {
  DIR *folder = opendir("/proc/self/fd");
  if (!folder)
    return errno == EMFILE ? most : 0;
  size_t count = 0;
  while (readdir(folder))
    ++count;
  closedir(folder);
  return count - 3; // itself, `.` and `..`
}

/// Whether so many are left. They are counted only where their numbers, of which the lowest is given first, have come
/// near the limit: there may be thousands.
bool hasRoomFor(size_t wanted) {
  const size_t most = limit();
  const int lowest = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  if (lowest >= 0)
    close(lowest);
  if (lowest >= 0 && static_cast<size_t>(lowest) + wanted < most / 2)
    return true;
  return opened(most) + wanted <= most;
}

struct Reserved {
  Mutex mutex;
  size_t number GUARDED_BY(mutex) = 0;
};

Reserved &reserved() {
  return Loop::instance().own<Reserved>();
}

} // namespace

Result<std::unique_ptr<ReservedDescriptor>> ReservedDescriptor::take() {
  const size_t most = limit();
  Reserved &all = reserved();
  const Lock lock(all.mutex);
  if (!hasRoomFor(all.number + 1 + reserve(most)))
    return failure(ErrorKind::Busy,
                   "there are too few file descriptors left for another generation, so nothing was bought",
                   std::to_string(opened(most)) + " of " + std::to_string(most) + " are open in this process, and " +
                       std::to_string(all.number) + " are kept for clips",
                   "Raise the limit (ulimit -n), or run fewer generations at once");
  ++all.number;
  return std::unique_ptr<ReservedDescriptor>(new ReservedDescriptor);
}

ReservedDescriptor::~ReservedDescriptor() {
  Reserved &all = reserved();
  const Lock lock(all.mutex);
  --all.number;
}

Task<Result<void>> roomToFetch(const Context &context) {
  for (bool told = false; !hasRoomFor(reserve(limit()) / 4);) {
    if (!std::exchange(told, true))
      context.narrator.note("waiting for others to close files: too few descriptors are left in this process");
    const auto next = std::min(Clock::now() + pause, context.deadline);
    if (!co_await context.cancellation.sleepUntil(next))
      co_return stopped();
    if (next == context.deadline)
      co_return failure(ErrorKind::TimedOut, "there were too few file descriptors in this process to fetch the clip",
                        "none was released within " + std::to_string(context.settings.timeout) + " s",
                        "Raise the limit (ulimit -n), or run fewer generations at once, and run again");
  }
  co_return {};
}

} // namespace aimlvideo
