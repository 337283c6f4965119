// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/expectation.h"

#include <algorithm>
#include <utility>

namespace aimlvideo {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

namespace {

constexpr double documentedClip = 5; ///< seconds of clip in the sample runs that the documentation tells the time of

/// The kind of the generation in a row: of the request at hand, or as the ledger has it.
JobKind kindIn(const Run &run, const LedgerRow &row) {
  if (!run.settings.fetchesOnly())
    return kindOf(run.plan.request);
  const Model *known = Catalogue::instance().find(row.model);
  return {known ? known->id : row.model, row.duration, row.resolution};
}

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

Task<void> expect(Run &run, const LedgerRow &row) {
  run.kind = kindIn(run, row);
  std::vector<GenerationTimes::Observation> observations;
  if (run.purchase.ledger && !run.kind.model.empty())
    observations = co_await onPool([&] { return observationsOf(*run.purchase.ledger, run.plan.baseUrl, run.kind); });
  run.narrator.expect(GenerationTimes(documentedFor(run.kind), observations));
}

void goOnWaiting(Run &run, const LedgerRow &row) {
  const Moment now = Moment::now();
  const milliseconds age = now.wall - milliseconds(row.submitted);
  if (row.submitted == 0 || age < milliseconds(0)) {
    run.watch.forget();
    return;
  }
  run.watch.begin(std::max(age, milliseconds(1)), now);
  run.status().accepted = now.steady - age;
}

Task<void> learn(Run &run) {
  const auto took = std::exchange(run.took, {});
  if (!took || !run.purchase.ledger || run.kind.model.empty())
    co_return;
  const double seconds = static_cast<double>(took->count()) / 1000;
  const ObservedTime time{run.plan.baseUrl, run.kind, seconds, 0};
  ViaCallback<Result<void>> answer([&](auto say) { run.purchase.ledger->submitTime(time, std::move(say)); });
  if (const auto added = co_await answer; !added)
    run.narrator.log(LogLevel::Warning, "the time that it took could not be recorded: " + added.error().why);
}

} // namespace aimlvideo
