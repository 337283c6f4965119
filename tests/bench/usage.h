// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdlib>

#include <sys/resource.h>

/// Seconds of processor time that this process has used.
inline double cpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval &time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Milliseconds between two polls, where the schedule is not what is measured; 0: by the schedule.
inline unsigned pollInterval() {
  const char *seconds = std::getenv("BENCH_PAUSE");
  return seconds ? static_cast<unsigned>(std::atof(seconds) * 1000) : 0;
}
