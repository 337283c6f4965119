// SPDX-License-Identifier: LGPL-2.1-or-later
#include "timing/forecast.h"

#include <algorithm>
#include <cmath>

namespace aimlvideo {

using std::chrono::milliseconds;

Outlook Forecast::at(milliseconds waited) {
  const double passed = std::max(static_cast<double>(waited.count()) / 1000, 0.0);
  const double left = times_.medianLeft(passed);
  last_.done = std::max(last_.done, passed / std::max(passed + left, 0.001));
  last_.overdue = last_.overdue || passed > usual_;
  if (last_.overdue)
    last_.left.reset();
  else
    last_.left = std::min(last_.left.value_or(milliseconds::max()), milliseconds(std::llround(1000 * left)));
  return last_;
}

} // namespace aimlvideo
