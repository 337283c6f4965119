// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/descriptors.h"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <string>
#include <utility>

#include <dirent.h>
#include <sys/resource.h>

#include "generation/run.h"

namespace aimlvideo {

namespace {

/// The most that one step opens at a time: connections, wake-ups of main loops, the spool, the ledger.
constexpr size_t share = 8;
constexpr std::chrono::milliseconds pause{100};

size_t limit() {
  rlimit limits{};
  return getrlimit(RLIMIT_NOFILE, &limits) == 0 ? static_cast<size_t>(limits.rlim_cur) : RLIM_INFINITY;
}

/// For polls, and for what the rest of the process opens meanwhile.
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

std::mutex mutex;
size_t shares = 0; ///< given

using For = DescriptorShare::For;

bool hasRoom(For what, size_t given) {
  constexpr size_t plenty = 1 << 16; // counting them would take its time
  const size_t most = limit();
  const size_t kept = what == For::Beginning ? reserve(most) : reserve(most) / 4;
  return most >= plenty || opened(most) + (given + 1) * share + kept <= most;
}

Failure refusal() {
  const size_t most = limit();
  return failure(ErrorKind::Busy,
                 "there are too few file descriptors left for another generation, so nothing was bought",
                 std::to_string(opened(most)) + " of " + std::to_string(most) + " are open in this process",
                 "Raise the limit (ulimit -n), or run fewer generations at once");
}

/// Null: stopped, or the deadline has passed, or `goesOn` says no.
std::unique_ptr<DescriptorShare> await(Run &run, For what, bool (*goesOn)()) {
  for (bool told = false;;) {
    if (auto taken = DescriptorShare::take(what))
      return taken;
    if (!goesOn())
      return nullptr;
    if (!std::exchange(told, true))
      run.narrator.note("waiting for others to close files: too few descriptors are left in this process");
    const auto next = std::min(Clock::now() + pause, run.deadline);
    if (!run.cancellation.sleepUntil(next) || next == run.deadline)
      return nullptr;
  }
}

} // namespace

std::unique_ptr<DescriptorShare> DescriptorShare::take(For what) {
  const std::lock_guard lock(mutex);
  if (!hasRoom(what, shares))
    return nullptr;
  ++shares;
  return std::unique_ptr<DescriptorShare>(new DescriptorShare);
}

DescriptorShare::~DescriptorShare() {
  const std::lock_guard lock(mutex);
  --shares;
}

Result<void> makeRoomToBegin(Run &run) {
  run.descriptors.reset();
  run.descriptors = await(run, For::Beginning, [] { return hasRoom(For::Beginning, 0); });
  if (run.descriptors)
    return {};
  return run.cancellation.cancelled() ? Result<void>(stopped()) : refusal();
}

Result<void> makeRoomToFetch(Run &run) {
  run.descriptors.reset();
  run.descriptors = await(run, For::Fetching, [] { return true; });
  if (run.descriptors)
    return {};
  if (run.cancellation.cancelled())
    return stopped();
  return failure(ErrorKind::TimedOut, "there were too few file descriptors in this process to fetch the clip",
                 "none came free within " + std::to_string(run.settings.timeout) + " s",
                 "Raise the limit (ulimit -n), or run fewer generations at once, and run again");
}

} // namespace aimlvideo
