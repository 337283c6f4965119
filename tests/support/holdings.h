// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace aimlvideo::test {

/// What the process has at the moment.
struct Holdings {
  long kilobytes = 0; ///< resident and anonymous
  long threads = 0;
  long descriptors = 0;

  static Holdings now() {
    Holdings holdings;
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
      if (word == "RssAnon:")
        status >> holdings.kilobytes;
      else if (word == "Threads:")
        status >> holdings.threads;
    }
    const std::filesystem::directory_iterator descriptors("/proc/self/fd");
    holdings.descriptors = std::distance(begin(descriptors), end(descriptors));
    return holdings;
  }
};

} // namespace aimlvideo::test
