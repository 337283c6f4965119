// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <vector>

namespace aimlvideo::bench {

/// The moments at which to ask for generations that take `median` seconds with a log-normal spread, so that
/// E[delay] + `worth` E[polls] is least, with pauses of 1 to 15 s. By dynamic programming on a grid of 0.1 s.
std::vector<double> optimalPolls(double median, double spread, double worth);

} // namespace aimlvideo::bench
