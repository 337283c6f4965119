// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>

#include "http/retry.h"

namespace aimlvideo {

/// How patient the single steps are. The defaults are for the real service.
struct Patience {
  std::chrono::seconds submission{300}; ///< for one POST with up to 67 MB of image
  std::chrono::seconds poll{30};
  std::chrono::seconds validators{10};      ///< for asking the hosts of all images given by URL
  std::chrono::milliseconds ownership{250}; ///< between two looks whether another owner has let go
  unsigned idleConnection = 60;             ///< seconds
  /// From the start until a job tells that it has failed: an application that starts its main loop only then, as
  /// gst-launch-1.0 does, would miss an error that comes before, and never end.
  std::chrono::milliseconds firstFailure{200};
  RetryPolicy unreachable{std::chrono::milliseconds(1000), std::chrono::seconds(8), 4};
  RetryPolicy turnedAway{std::chrono::milliseconds(2000), std::chrono::seconds(30), 6};
  RetryPolicy tooLarge{std::chrono::milliseconds(2000), std::chrono::seconds(30), 2}; ///< 413, rarely a passing mood
  RetryPolicy lookups{std::chrono::milliseconds(1000), std::chrono::seconds(60), 0};
  RetryPolicy polls{std::chrono::milliseconds(1000), std::chrono::seconds(15), 0};
  RetryPolicy downloads{std::chrono::milliseconds(500), std::chrono::seconds(30), 0};
  /// The service's own word, in a row and nothing else in between, before a generation counts as unknown to it.
  unsigned unknownIdAnswers = 5;
  /// For one that was bought: from the first of them to the last, so that no restart of the service takes so long.
  std::chrono::milliseconds unknownIdSpan{180'000};

  static const Patience &usual() {
    static const Patience patience;
    return patience;
  }
};

} // namespace aimlvideo
