// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/cancellation.h"

namespace aimlvideo {

/// A moment by both clocks: one that stops while the machine sleeps, and one that people set.
struct Moment {
  Clock::time_point steady;
  std::chrono::milliseconds wall{0}; ///< since 1970

  static Moment now();
};

/// Says how long a generation took, where that was seen.
///
/// It was seen when the moment of acceptance is known and completion lies between two answers that are close together.
/// A generation that was completed at the first look after a pause, polls far apart, a run of failed polls or a machine
/// that slept in between teach nothing.
class CompletionWatch {
public:
  /// Accepted that long before now. The moment has to be known, not guessed.
  void begin(std::chrono::milliseconds age, Moment now);
  /// The moment of acceptance is not known.
  void forget() { begun_.reset(); }

  /// An answer said that it was not completed; `asked`: when the question left.
  void pending(Moment asked);
  /// An answer says that it is.
  std::optional<std::chrono::milliseconds> completed(Moment now) const;

private:
  std::chrono::milliseconds ageAt(Moment moment) const;

  std::optional<Moment> begun_; ///< of this watch
  std::chrono::milliseconds age_{0};
  std::optional<std::chrono::milliseconds> pendingAt_; ///< latest age at which it was known to run
};

} // namespace aimlvideo
