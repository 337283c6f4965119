// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/expectation.h"

#include <algorithm>
#include <utility>

namespace aimlvideo {

using std::chrono::milliseconds;

namespace {

constexpr double documentedClip = 5; ///< seconds of clip in the sample runs that the documentation tells the time of

double secondsIn(const std::string &duration) {
  return g_ascii_strtod(duration.c_str(), nullptr);
}

/// A clip twice as long takes about twice as long.
std::optional<double> documentedFor(const JobKind &kind) {
  const Model *known = Catalogue::instance().find(kind.model);
  if (!known || known->sample.seconds == 0)
    return {};
  return known->sample.seconds * std::max(1.0, secondsIn(kind.duration) / documentedClip);
}

/// What another kind of the same model took, for the length of this one's clip.
double translated(double seconds, const JobKind &from, const JobKind &to) {
  const double had = secondsIn(from.duration);
  const double wanted = secondsIn(to.duration);
  return had > 0 && wanted > 0 ? seconds * wanted / had : seconds;
}

std::vector<GenerationTimes::Observation> observationsOf(Ledger &ledger, const std::string &baseUrl,
                                                         const JobKind &kind) {
  constexpr double day = 24.0 * 60 * 60 * 1000;
  std::vector<GenerationTimes::Observation> observations;
  const auto times = ledger.times(baseUrl, kind.model);
  if (!times)
    return observations;
  const auto now = static_cast<double>(Moment::now().wall.count());
  for (const ObservedTime &time : *times)
    observations.push_back({translated(time.seconds, time.kind, kind), (now - static_cast<double>(time.observed)) / day,
                            time.kind != kind});
  return observations;
}

} // namespace

JobKind kindOf(const Settings &settings, const Plan &plan, const LedgerRow &row) {
  if (!settings.fetchesOnly())
    return kindOf(plan.request);
  const Model *known = Catalogue::instance().find(row.model);
  return {known ? known->id : row.model, row.duration, row.resolution};
}

Task<void> expect(Narrator &narrator, std::shared_ptr<Ledger> ledger, const std::string &baseUrl, const JobKind &kind) {
  std::vector<GenerationTimes::Observation> observations;
  if (ledger && !kind.model.empty())
    observations = co_await onPool([&] { return observationsOf(*ledger, baseUrl, kind); });
  narrator.expect(GenerationTimes(documentedFor(kind), observations));
}

CompletionWatch watchOf(const LedgerRow &row, Status &status) {
  CompletionWatch watch;
  const Moment now = Moment::now();
  const milliseconds age = now.wall - milliseconds(row.submitted);
  if (row.submitted == 0 || age < milliseconds(0))
    return watch;
  watch.begin(std::max(age, milliseconds(1)), now);
  status.accepted = now.steady - age;
  return watch;
}

Task<void> learn(const Narrator &narrator, Ledger &ledger, const ObservedTime &time) {
  ViaCallback<Result<void>> answer([&](auto say) { ledger.submitTime(time, std::move(say)); });
  if (const auto added = co_await answer; !added)
    narrator.log(LogLevel::Warning, "the time that it took could not be recorded: " + added.error().why);
}

} // namespace aimlvideo
