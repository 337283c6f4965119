// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <vector>

namespace aimlvideo {

/// How long the generations of one kind take, in seconds from acceptance to completion: what the documentation says,
/// what was observed, and a doubt in both. An immutable value; all functions are pure.
///
/// It is a mixture of log-normal distributions: one about the documented time, one about each observation, and, with a
/// small weight, the times that generations of any model take. The older an observation, the less it weighs, and the
/// documented time counts as older than all of them.
class GenerationTimes {
public:
  struct Observation {
    double seconds = 0;
    double daysAgo = 0;
    /// Of the same model, but with another length or resolution of the clip: a hint.
    bool ofOtherKind = false;
  };

  /// `observations`: newest first. Without them and without a documented time: what is usual for any model.
  explicit GenerationTimes(std::optional<double> documentedSeconds = {},
                           const std::vector<Observation> &observations = {});

  /// The times left of generations that began nobody knows when.
  static GenerationTimes left();

  /// Probability that a generation takes longer.
  double survival(double seconds) const;
  /// Rate, in 1/s, at which those end that have taken so long.
  double hazard(double seconds) const;

  // What people are shown, as if there were no doubt:

  /// The time below which this share of all generations ends.
  double quantile(double share) const;
  /// Of the generations that have taken so long, half end within this time from then on.
  double medianLeft(double elapsed) const;

private:
  struct Component {
    double weight; ///< of all components: 1 in total
    double median; ///< logarithm of it in seconds
    double spread; ///< standard deviation of the logarithm
  };

  explicit GenerationTimes(std::vector<Component> components)
      : components_(std::move(components)), believed_(components_.size()) {}
  void addDoubt();
  double survivalBy(size_t components, double seconds) const;
  double timeOfSurvival(double wanted, double from) const;

  std::vector<Component> components_;
  size_t believed_ = 0; ///< the first components, without those of the doubt
};

} // namespace aimlvideo
