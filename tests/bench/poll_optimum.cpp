// SPDX-License-Identifier: LGPL-2.1-or-later
#include "poll_optimum.h"

#include <cmath>

namespace aimlvideo::bench {

namespace {

constexpr double grid = 0.1; ///< seconds
constexpr size_t shortest = 10;
constexpr size_t longest = 150;

double share(double seconds, double median, double spread) {
  return seconds > 0 ? std::erfc(-std::log(seconds / median) / spread / std::sqrt(2.0)) / 2 : 0;
}

} // namespace

std::vector<double> optimalPolls(double median, double spread, double worth) {
  const auto end = static_cast<size_t>(median * 6 / grid);
  std::vector<double> ended(end + longest + 1);   // share of the generations that have ended by each moment
  std::vector<double> moments(end + longest + 1); // and the sum of their times
  for (size_t i = 1; i < ended.size(); ++i) {
    const double at = static_cast<double>(i) * grid;
    ended[i] = share(at, median, spread);
    moments[i] = moments[i - 1] + (ended[i] - ended[i - 1]) * (at - grid / 2);
  }
  std::vector<double> cost(end + longest + 1);
  std::vector<size_t> pauses(end);
  for (size_t i = end; i-- > 0;) {
    cost[i] = INFINITY;
    for (size_t pause = shortest; pause <= longest; ++pause) {
      const size_t next = i + pause;
      const double delay = (ended[next] - ended[i]) * static_cast<double>(next) * grid - (moments[next] - moments[i]);
      const double total = delay + worth * (1 - ended[i]) + cost[next];
      if (total < cost[i]) {
        cost[i] = total;
        pauses[i] = pause;
      }
    }
  }
  std::vector<double> polls;
  for (size_t i = 0; i < end;) {
    i += pauses[i];
    polls.push_back(static_cast<double>(i) * grid);
  }
  return polls;
}

} // namespace aimlvideo::bench
