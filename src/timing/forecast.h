// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>

#include <aimlvideo/status.h>

#include "timing/generation_times.h"

namespace aimlvideo {

/// The outlooks of one wait, reported one after the other. None takes back what one before it said: the time left never
/// grows, the share that is done never falls, and what is overdue stays so.
class Forecast {
public:
  explicit Forecast(GenerationTimes times) : times_(std::move(times)), usual_(times_.quantile(0.9)) {}

  Outlook at(std::chrono::milliseconds waited);
  const GenerationTimes &times() const { return times_; }

private:
  GenerationTimes times_;
  double usual_; ///< seconds
  Outlook last_;
};

} // namespace aimlvideo
