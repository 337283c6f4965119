// SPDX-License-Identifier: LGPL-2.1-or-later
#include "timing/completion_watch.h"

#include <algorithm>

#include <glib.h>

namespace aimlvideo {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

namespace {

/// How far the clocks may drift apart, of the time passed, before one of them was set or stopped.
constexpr milliseconds clockSlack = 1s;
constexpr int64_t clockShare = 100;

/// How far apart the two answers may be, and of the whole time.
constexpr milliseconds closeTogether = 1s;
constexpr int64_t gapShare = 4;

} // namespace

Moment Moment::now() {
  return {Clock::now(), milliseconds(g_get_real_time() / 1000)};
}

void CompletionWatch::begin(milliseconds age, Moment now) {
  begun_ = now;
  age_ = age;
  pendingAt_.reset();
  if (age == 0ms)
    pendingAt_ = age; // it was seen to begin
}

milliseconds CompletionWatch::ageAt(Moment moment) const {
  return age_ + duration_cast<milliseconds>(moment.steady - begun_->steady);
}

void CompletionWatch::pending(Moment asked) {
  if (begun_)
    pendingAt_ = std::max(ageAt(asked), 0ms);
}

std::optional<milliseconds> CompletionWatch::completed(Moment now) const {
  if (!begun_ || !pendingAt_)
    return {};
  const auto steady = duration_cast<milliseconds>(now.steady - begun_->steady);
  const auto wall = now.wall - begun_->wall;
  if (std::chrono::abs(wall - steady) > clockSlack + steady / clockShare)
    return {};
  const milliseconds age = ageAt(now);
  const milliseconds gap = age - *pendingAt_;
  if (gap > std::max(closeTogether, age / gapShare))
    return {};
  return age - gap / 2;
}

} // namespace aimlvideo
