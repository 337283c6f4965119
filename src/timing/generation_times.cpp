// SPDX-License-Identifier: LGPL-2.1-or-later
#include "timing/generation_times.h"

#include <algorithm>
#include <cmath>

namespace aimlvideo {

namespace {

// The times of any model: those in the catalogue with the spread of single generations.
const double usualMedian = std::log(194.0);
constexpr double usualSpread = 0.53;
/// For a model of which nothing is known, which may be of another vendor.
constexpr double unknownSpread = 0.8;

/// Of the times of one kind, before any was observed.
constexpr double singleSpread = 0.25;
constexpr double documentedWeight = 2; ///< in observations

// An observation's weight halves with so many newer ones, and with so many days.
constexpr double halfLife = 16;
constexpr double halfLifeDays = 90;
constexpr double otherKindWeight = 0.1;
constexpr double otherKindSpread = 0.4;

/// Chance that a time is about something else than thought: another version of the model, another load, an emulator.
constexpr double doubt = 0.05;
/// Of the documented and learned times that are wrong.
constexpr double wrongSpread = 1.2;
constexpr double mostDoubt = 0.7;

/// Some generations hang, and end late or never.
constexpr double stuck = 0.005;
const double stuckMedian = std::log(600.0);
constexpr double stuckSpread = 1.0;

constexpr double shortest = 0.05; ///< seconds, so that a logarithm exists
constexpr double longest = 7 * 86400.0;

double gauss(double distance, double spread) {
  const double z = distance / spread;
  return std::exp(-z * z / 2) / spread;
}

double logOf(double seconds) {
  return std::log(std::clamp(seconds, shortest, longest));
}

/// Standard deviation of what lies about each mode, robust against outliers and several modes: from the first quartile
/// of all distances between two (Rousseeuw and Croux), leaning on what is usual where there are few.
double spreadWithin(const std::vector<double> &values) {
  std::vector<double> distances;
  for (size_t i = 0; i < values.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      distances.push_back(std::abs(values[i] - values[j]));
  const double n = static_cast<double>(values.size());
  double own = singleSpread;
  if (!distances.empty()) {
    const auto quartile = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 4);
    std::nth_element(distances.begin(), quartile, distances.end());
    own = 2.22 * *quartile;
  }
  constexpr double trust = 4; // in the usual spread, in observations
  return std::sqrt((trust * singleSpread * singleSpread + n * own * own) / (trust + n));
}

} // namespace

GenerationTimes::GenerationTimes(std::optional<double> documentedSeconds,
                                 const std::vector<Observation> &observations) {
  std::vector<double> own;
  for (const Observation &observation : observations)
    if (!observation.ofOtherKind)
      own.push_back(logOf(observation.seconds));
  // a kernel's width after Silverman: about the spread itself for one observation, narrower for many
  const double width = std::max(0.04, 1.06 * spreadWithin(own) * std::pow(std::max<double>(own.size(), 1), -0.2));

  double rank = 0;
  for (const Observation &observation : observations) {
    const double weight = std::exp2(-rank / halfLife - std::max(observation.daysAgo, 0.0) / halfLifeDays);
    components_.push_back({weight * (observation.ofOtherKind ? otherKindWeight : 1), logOf(observation.seconds),
                           observation.ofOtherKind ? otherKindSpread : width});
    if (!observation.ofOtherKind)
      ++rank;
  }
  components_.push_back({documentedWeight * std::exp2(-rank / halfLife),
                         documentedSeconds ? logOf(*documentedSeconds) : usualMedian,
                         documentedSeconds ? singleSpread : unknownSpread});
  believed_ = components_.size();
  addDoubt();
}

/// The further the times are from what is usual, the likelier it is that they are wrong.
void GenerationTimes::addDoubt() {
  double total = 0;
  double middle = 0;
  for (const Component &component : components_) {
    total += component.weight;
    middle += component.weight * component.median;
  }
  middle /= total;
  const double wrong = doubt * gauss(middle - usualMedian, wrongSpread);
  const double right = (1 - doubt) * gauss(middle - usualMedian, usualSpread);
  const double share = std::min(wrong / (wrong + right), mostDoubt);
  for (Component &component : components_)
    component.weight *= (1 - stuck) * (1 - share) / total;
  components_.push_back({(1 - stuck) * share, usualMedian, usualSpread});
  components_.push_back({stuck, std::max(stuckMedian, middle + std::log(3.0)), stuckSpread});
}

GenerationTimes GenerationTimes::left() {
  return GenerationTimes({{1, usualMedian - std::log(2.0), 1.0}});
}

/// Of the first components together.
double GenerationTimes::survivalBy(size_t components, double seconds) const {
  const double at = logOf(seconds);
  double survival = 0;
  double total = 0;
  for (size_t i = 0; i < components; ++i) {
    const Component &component = components_[i];
    survival += component.weight * std::erfc((at - component.median) / component.spread / M_SQRT2) / 2;
    total += component.weight;
  }
  return survival / total;
}

double GenerationTimes::survival(double seconds) const {
  return survivalBy(components_.size(), seconds);
}

double GenerationTimes::hazard(double seconds) const {
  const double at = logOf(seconds);
  double density = 0;
  for (const Component &component : components_)
    density += component.weight * gauss(at - component.median, component.spread);
  density /= std::sqrt(2 * M_PI) * std::exp(at);
  return density / std::max(survival(seconds), 1e-300);
}

/// By what is believed.
double GenerationTimes::timeOfSurvival(double wanted, double from) const {
  double low = std::max(from, shortest);
  double high = low;
  while (survivalBy(believed_, high) > wanted && high < longest)
    high *= 2;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (survivalBy(believed_, middle) > wanted ? low : high) = middle;
  }
  return high;
}

double GenerationTimes::quantile(double share) const {
  return timeOfSurvival(1 - share, 0);
}

double GenerationTimes::medianLeft(double elapsed) const {
  return std::max(timeOfSurvival(survivalBy(believed_, elapsed) / 2, elapsed) - elapsed, 0.0);
}

} // namespace aimlvideo
