// SPDX-License-Identifier: LGPL-2.1-or-later
#include "progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "table.h"

namespace aimlvideo::cli {

namespace {

double secondsBetween(Clock::time_point from, Clock::time_point to) {
  return std::max(std::chrono::duration<double>(to - from).count(), 0.0);
}

/// The bar has one width as long as the terminal has, whatever stands behind it.
std::string bar(std::optional<int> percent, size_t columns) {
  constexpr size_t text = 50; // of the longest state and the longest times
  constexpr size_t least = 8;
  constexpr size_t most = 24;
  const size_t cells = std::min(columns > text ? columns - text : 0, most);
  if (cells < least)
    return "";
  const size_t full = static_cast<size_t>(std::clamp(percent.value_or(0), 0, 100)) * cells / 100;
  return "[" + std::string(full, '#') + std::string(cells - full, ' ') + "] ";
}

} // namespace

double secondsPassed(const Status &status, Clock::time_point now) {
  const bool earlier = status.accepted != Clock::time_point{} && status.accepted < status.started;
  if (status.started == Clock::time_point{})
    return 0;
  return secondsBetween(earlier ? status.accepted : status.started + status.queueTime, now);
}

void ProgressClock::heard(const Status &status, Clock::time_point when) {
  if (status.accepted != status_.accepted) { // another attempt takes its own time
    least_.reset();
    passed_ = false;
  }
  status_ = status;
  heard_ = when;
}

Progress ProgressClock::at(Clock::time_point now) {
  Progress progress;
  progress.elapsed = secondsPassed(status_, now);
  const bool waiting = status_.hasOutlook && (status_.state == State::Queued || status_.state == State::Generating);
  Status present = status_;
  if (waiting) {
    if (status_.outlook.left)
      least_ = std::min(least_.value_or(HUGE_VAL),
                        std::chrono::duration<double>(*status_.outlook.left).count() - secondsBetween(heard_, now));
    passed_ = passed_ || status_.outlook.overdue || least_.value_or(1) <= 0;
    progress.longerThanUsual = passed_;
    if (!passed_)
      progress.left = least_;
    if (progress.left)
      present.outlook.done = progress.elapsed / std::max(progress.elapsed + *progress.left, 0.001);
  }
  const auto percent = present.percent();
  most_ = std::max(most_, percent.value_or(0));
  if (percent || most_ > 0)
    progress.percent = most_;
  return progress;
}

std::optional<double> timeForAll(std::vector<double> ends, size_t waiting, const std::vector<double> &whole) {
  if (ends.empty() || (waiting > 0 && whole.empty()))
    return {};
  const double mean =
      whole.empty() ? 0 : std::accumulate(whole.begin(), whole.end(), 0.0) / static_cast<double>(whole.size());
  for (; waiting > 0; --waiting)
    *std::ranges::min_element(ends) += mean;
  return std::ranges::max(ends);
}

std::string timeText(double seconds) {
  constexpr long long sixty = 60;
  const auto whole = static_cast<long long>(std::floor(seconds));
  const long long minutes = whole / sixty;
  char text[48];
  if (minutes < sixty)
    std::snprintf(text, sizeof text, "%lld:%02lld", minutes, whole % sixty);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", minutes / sixty, minutes % sixty, whole % sixty);
  return text;
}

std::string timesText(const Progress &progress) {
  return timeText(progress.elapsed) + (progress.left              ? ", " + timeText(std::ceil(*progress.left)) + " left"
                                       : progress.longerThanUsual ? ", longer than usual"
                                                                  : "");
}

std::string progressText(const std::string &doing, const Progress &progress, size_t columns, size_t doingColumns) {
  char percent[16] = "     ";
  if (progress.percent)
    std::snprintf(percent, sizeof percent, "%3d %%", *progress.percent);
  const std::string times = timesText(progress);
  const std::string state = padded(doing, std::max(doingColumns, cellsOf(doing)));
  const std::string all = bar(progress.percent, columns) + percent + "  " + state + "  " + times;
  return cellsOf(all) <= columns ? all : fitted(percent + ("  " + times), columns);
}

} // namespace aimlvideo::cli
