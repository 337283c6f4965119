// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <aimlvideo/status.h>

namespace aimlvideo::cli {

/// How far something is at one moment. All of it is from one reading of the clock, so that it agrees.
struct Progress {
  double elapsed = 0; ///< seconds, see secondsPassed()
  /// Seconds until the service has made it, while it is at it; it never grows. Empty if nobody knows.
  std::optional<double> left;
  bool longerThanUsual = false; ///< what was left has passed, or nine of ten have ended by now
  std::optional<int> percent;   ///< of the whole; it never falls
};

/// Carries on what was last heard of a generation, second by second, without asking anybody.
class ProgressClock {
public:
  void heard(const Status &status, Clock::time_point when);
  Progress at(Clock::time_point now);

private:
  Status status_;
  Clock::time_point heard_{};
  std::optional<double> least_; ///< that was said to be left
  bool passed_ = false;
  int most_ = 0; ///< percent
};

/// Seconds since it was begun: since the service accepted it if an earlier run or somebody else bought it, otherwise
/// since its turn came in this process.
double secondsPassed(const Status &status, Clock::time_point now = Clock::now());

/// Seconds until those that run and those that wait have ended, which follow in the places of the first to end.
/// `ends`: of those that run, seconds from now. `whole`: what others took, of which those that wait take the mean;
/// empty where some wait and none has taken any.
std::optional<double> timeForAll(std::vector<double> ends, size_t waiting, const std::vector<double> &whole);

/// `1:05`, or `2:01:05`. Begun seconds do not count.
std::string timeText(double seconds);

/// `0:30, 1:05 left`
std::string timesText(const Progress &progress);

/// `[#####     ]  50 %  generating  0:30, 0:30 left`, or less of it where there are fewer columns. `doing` takes at
/// least `doingColumns`, so that lines below each other have theirs in one place.
std::string progressText(const std::string &doing, const Progress &progress, size_t columns, size_t doingColumns = 0);

} // namespace aimlvideo::cli
