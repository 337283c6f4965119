// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/status.h>

#include <algorithm>

#include <glib.h>

#include "base/glib_ptr.h"

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

Usage Status::billed() const {
  if (bought())
    return usage;
  const auto none = [](std::optional<double> known) {
    return known ? std::optional(0.0) : std::nullopt;
  };
  return {none(usage.credits), none(usage.usd)};
}

milliseconds Status::elapsed() const {
  if (started == Clock::time_point{})
    return milliseconds(0);
  return duration_cast<milliseconds>(Clock::now() - started);
}

std::optional<milliseconds> Status::remaining() const {
  return waiting() && hasOutlook ? outlook.left : std::nullopt;
}

std::optional<int> Status::percent() const {
  constexpr int beforeDownload = 95;
  constexpr int beforeCompletion = 99;
  if (state == State::Completed)
    return 100;
  int percent = leastPercent;
  if (state == State::Downloading) {
    percent = std::max(percent, beforeDownload);
    if (bytesTotal && *bytesTotal > 0) {
      const double share = static_cast<double>(bytesReceived) / static_cast<double>(*bytesTotal);
      // a host may send more than it announced
      percent = std::max(percent,
                         beforeDownload + static_cast<int>(std::min(share, 1.0) * (beforeCompletion - beforeDownload)));
    }
    return percent;
  }
  if (waiting() && hasOutlook)
    return std::max(percent, static_cast<int>(std::clamp(outlook.done, 0.0, 1.0) * beforeDownload));
  return percent > 0 ? std::optional(percent) : std::nullopt;
}

std::string describe(const Status &status) {
  std::string text = nameOf(status.state);
  if (status.state == State::Queued || status.state == State::Generating) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(status.elapsed() - status.queueTime).count();
    text += ", " + std::to_string(elapsed) + " s so far";
    if (const auto left = status.remaining())
      text += ", about " + std::to_string(std::chrono::ceil<std::chrono::seconds>(*left).count()) + " s left";
    else if (status.hasOutlook && status.outlook.overdue)
      text += ", longer than usual";
  } else if (status.state == State::Downloading && status.bytesReceived > 0) {
    const GCharPtr size(g_format_size(status.bytesReceived));
    text += std::string(", ") + size.get();
    if (status.bytesTotal) {
      const GCharPtr total(g_format_size(*status.bytesTotal));
      text += std::string(" of ") + total.get();
    }
  }
  return text;
}

} // namespace aimlvideo
