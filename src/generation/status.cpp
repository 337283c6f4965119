// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/status.h"

#include <algorithm>

namespace aimlvideo {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

const char *nameOf(State state) {
  switch (state) {
  case State::Idle:
    return "idle";
  case State::QueuedLocally:
    return "queued-locally";
  case State::Submitting:
    return "submitting";
  case State::LookingUp:
    return "looking-up";
  case State::Queued:
    return "queued";
  case State::Generating:
    return "generating";
  case State::Downloading:
    return "downloading";
  case State::Completed:
    return "completed";
  case State::Failed:
    return "failed";
  case State::Cancelled:
    return "cancelled";
  }
  return "idle";
}

const char *nameOf(Origin origin) {
  switch (origin) {
  case Origin::None:
    return "none";
  case Origin::Bought:
    return "bought";
  case Origin::LookedUp:
    return "looked-up";
  case Origin::Resumed:
    return "resumed";
  case Origin::Joined:
    return "joined";
  case Origin::Replayed:
    return "replayed";
  }
  return "none";
}

milliseconds Status::elapsed() const {
  if (started == Clock::time_point{})
    return milliseconds(0);
  return duration_cast<milliseconds>(Clock::now() - started);
}

milliseconds Status::timeAtWork() const {
  return state == State::QueuedLocally ? milliseconds(0) : elapsed() - queueTime;
}

std::optional<milliseconds> Status::remaining() const {
  if (state == State::QueuedLocally)
    return {};
  const milliseconds total = typicalTime.value_or(std::chrono::seconds(0));
  const milliseconds passed = timeAtWork();
  if (!typicalTime || passed >= total)
    return {};
  return total - passed;
}

std::optional<int> Status::percent() const {
  constexpr int beforeDownload = 95;
  constexpr int beforeCompletion = 99;
  if (state == State::Completed)
    return 100;
  if (state == State::Downloading) {
    if (!bytesTotal || *bytesTotal == 0)
      return beforeDownload;
    const double share = static_cast<double>(bytesReceived) / static_cast<double>(*bytesTotal);
    // a host may send more than it announced
    return beforeDownload + static_cast<int>(std::min(share, 1.0) * (beforeCompletion - beforeDownload));
  }
  if (!typicalTime || typicalTime->count() == 0)
    return {};
  const double share =
      static_cast<double>(timeAtWork().count()) / static_cast<double>(milliseconds(*typicalTime).count());
  return std::clamp(static_cast<int>(share * beforeDownload), 0, beforeDownload);
}

} // namespace aimlvideo
