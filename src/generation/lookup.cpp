// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/lookup.h"

#include <algorithm>
#include <utility>

#include "generation/verdict.h"

namespace aimlvideo {

namespace {

/// Below the service's limit of 200 requests a minute, also with several generations looking at once.
constexpr unsigned pagesPerRound = 40;

/// Answers of 400 or 404, in a row, after which the service counts as one without such a log.
constexpr unsigned refusalsUntilGivenUp = 3;

class Lookup {
public:
  explicit Lookup(Run &run) : run_(run), row_(run.purchase.row) {}

  Result<Finding> carryOut(Error &why);

private:
  /// One round over the newest pages. Nothing: the entry is not there, or the round failed and `fault_` says why.
  Result<std::optional<LogEntry>> round(const char *period);
  Finding adopt(const LogEntry &entry);

  Run &run_;
  LedgerRow &row_;
  std::string fault_;
  std::optional<std::chrono::seconds> retryAfter_;
  unsigned refusals_ = 0;
};

Result<std::optional<LogEntry>> Lookup::round(const char *period) {
  const std::string earlier = std::exchange(fault_, {});
  retryAfter_.reset();
  for (unsigned page = 0; page < pagesPerRound; ++page) {
    const auto deadline = std::min(run_.deadline, Clock::now() + run_.patience.poll);
    const auto response = run_.client->logs(period, page * logPageSize, run_.cancellation, deadline);
    if (!response) {
      if (response.error().cause == TransportError::Cause::Cancelled)
        return stopped();
      // the request that the deadline cuts short says nothing about what went wrong before
      const bool cutShort = !earlier.empty() && Clock::now() >= run_.deadline;
      fault_ = cutShort ? earlier : response.error().message;
      return std::optional<LogEntry>();
    }
    if (!response->successful()) {
      Error refusal = refusalFrom(*response);
      fault_ = refusal.why;
      if (const auto value = response->header("Retry-After"))
        retryAfter_ = parseRetryAfter(*value, std::chrono::system_clock::now());
      const bool refused = response->status == 400 || response->status == 404;
      refusals_ = refused ? refusals_ + 1 : 0;
      if (refusal.kind == ErrorKind::NotAuthorized || refusals_ >= refusalsUntilGivenUp)
        return tl::unexpected(std::move(refusal));
      return std::optional<LogEntry>();
    }
    refusals_ = 0;
    auto entries = parseLogs(response->body);
    if (!entries) {
      fault_ = run_.client->withoutSecrets(entries.error());
      return std::optional<LogEntry>();
    }
    for (LogEntry &entry : *entries)
      if (entry.clientRequestId == row_.clientRequestId && (entry.failed || !entry.generationId.empty()))
        return std::optional(std::move(entry));
    if (entries->size() < logPageSize)
      break;
  }
  return std::optional<LogEntry>();
}

Finding Lookup::adopt(const LogEntry &entry) {
  if (entry.failed) {
    row_.cause = "the service lists the submission as failed";
    run_.recordAfterwards(LedgerRow::State::NotBought);
    return Finding::NotBought;
  }
  row_.generationId = entry.generationId;
  row_.usage.update(entry.usage);
  run_.recordAfterwards(LedgerRow::State::Running);
  run_.narrator.note("the submission was accepted after all, as generation " + entry.generationId);
  return Finding::Bought;
}

Result<Finding> Lookup::carryOut(Error &why) {
  run_.status().clientRequestId = row_.clientRequestId;
  run_.narrator.enter(State::LookingUp);
  run_.narrator.note("looking up whether the service accepted the submission " + row_.clientRequestId);
  for (unsigned rounds = 1;; ++rounds) {
    // neither clock is trusted to say how old the submission is, and the longer period has more pages
    const auto entry = round(rounds % 3 == 0 ? "7d" : "24h");
    if (!entry) {
      if (entry.error().kind == ErrorKind::Cancelled)
        return tl::unexpected(entry.error());
      why.why += (why.why.empty() ? "" : "; ") + ("the lookup was refused: " + entry.error().why);
      return Finding::Unknown;
    }
    if (*entry)
      return adopt(**entry);
    if (run_.purchase.byOtherKey && rounds >= 3 && fault_.empty())
      return Finding::Unknown; // this key will never see it
    if (!fault_.empty())
      run_.narrator.log("lookup " + std::to_string(rounds) + " failed: " + fault_);
    ++run_.status().retries;
    const auto next = Clock::now() + run_.patience.lookups.pauseBefore(rounds + 1, retryAfter_, run_.random);
    if (!run_.cancellation.sleepUntil(std::min(next, run_.deadline)))
      return stopped();
    run_.narrator.tick();
    if (next >= run_.deadline)
      break;
  }
  why.why +=
      (why.why.empty() ? "" : "; ") + ("the service has not listed it within " + std::to_string(run_.settings.timeout) +
                                       " s" + (fault_.empty() ? "" : " (" + fault_ + ")"));
  return Finding::Unknown;
}

} // namespace

Result<Finding> lookUp(Run &run, Error &why) {
  return Lookup(run).carryOut(why);
}

} // namespace aimlvideo
