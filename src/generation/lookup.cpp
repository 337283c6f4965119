// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/lookup.h"

#include <algorithm>
#include <utility>

#include "service/verdict.h"

namespace aimlvideo {

namespace {

/// Below the service's limit of 200 requests a minute, also with several generations looking at once.
constexpr unsigned pagesPerRound = 40;

/// Answers of 400 or 404 by the service itself, in a row, after which the service counts as one without such a log.
constexpr unsigned refusalsUntilGivenUp = 3;

/// Looks for a submission in the log of the account, page by page, from the newest entry to the oldest, again and
/// again.
///
/// The log of a busy account has thousands of entries, and each page may fail: a round goes on where the one before it
/// ended. Entries only move towards the end meanwhile, so none is passed over; one that the service adds late is found
/// the next time through.
class Lookup {
public:
  Lookup(const Context &context, ServiceClient &client, Purchase &purchase)
      : context_(context), client_(client), purchase_(purchase), row_(purchase.row) {}

  Task<Result<Finding>> carryOut();

private:
  enum class Ended {
    AtTheEntry,
    AtTheEnd, ///< of the log
    AtAPage,  ///< which is read next
    AtAFault  ///< which `fault_` tells
  };
  Task<Result<Ended>> round();
  /// One page. Empty: it failed, and `fault_` says why.
  Task<Result<std::optional<std::vector<LogEntry>>>> read();
  /// Neither clock is trusted to say how old the submission is, and the longer period has more pages.
  const char *period() const { return passes_ % 3 == 2 ? "7d" : "24h"; }
  std::chrono::milliseconds pauseAfter(Ended ended);
  Task<Finding> adopt(const LogEntry &entry);

  const Context &context_;
  ServiceClient &client_;
  Purchase &purchase_;
  LedgerRow &row_;
  LogEntry entry_;      ///< the one that was looked for
  unsigned page_ = 0;   ///< the next to read
  unsigned passes_ = 0; ///< times that the whole log was read
  unsigned faults_ = 0; ///< in a row
  std::string fault_;
  std::optional<std::chrono::seconds> retryAfter_;
  unsigned refusals_ = 0;
};

Task<Result<std::optional<std::vector<LogEntry>>>> Lookup::read() {
  const std::string earlier = std::exchange(fault_, {});
  retryAfter_.reset();
  const auto response = co_await client_.logs(period(), page_ * logPageSize, context_.cancellation,
                                              AttemptTime{context_.deadline, context_.patience.poll});
  if (!response) {
    if (response.error().cause == TransportError::Cause::Cancelled)
      co_return stopped();
    // the request that the deadline cuts short says nothing about what went wrong before
    const bool cutShort = !earlier.empty() && Clock::now() >= context_.deadline;
    fault_ = cutShort ? earlier : response.error().message;
    co_return std::nullopt;
  }
  if (!response->successful()) {
    Error refusal = refusalFrom(*response);
    fault_ = refusal.why;
    if (const auto value = response->header("Retry-After"))
      retryAfter_ = parseRetryAfter(*value, std::chrono::system_clock::now());
    // by the service itself: a gateway's page is a fault that passes
    const bool refused = (response->status == 400 || response->status == 404) && parseReply(response->body);
    refusals_ = refused ? refusals_ + 1 : 0;
    if (refusal.kind == ErrorKind::NotAuthorized || refusals_ >= refusalsUntilGivenUp)
      co_return tl::unexpected(std::move(refusal));
    co_return std::nullopt;
  }
  refusals_ = 0;
  auto entries = parseLogs(response->body);
  if (!entries) {
    fault_ = client_.withoutSecrets(entries.error());
    co_return std::nullopt;
  }
  co_return std::move(*entries);
}

Task<Result<Lookup::Ended>> Lookup::round() {
  for (unsigned pages = 0; pages < pagesPerRound; ++pages) {
    auto entries = co_await read();
    if (!entries)
      co_return tl::unexpected(std::move(entries.error()));
    if (!*entries) {
      ++faults_;
      co_return Ended::AtAFault;
    }
    faults_ = 0;
    for (LogEntry &entry : **entries)
      if (entry.clientRequestId == row_.clientRequestId && (entry.failed || !entry.generationId.empty())) {
        entry_ = std::move(entry);
        co_return Ended::AtTheEntry;
      }
    ++page_;
    if ((*entries)->size() < logPageSize) {
      page_ = 0;
      ++passes_;
      co_return Ended::AtTheEnd;
    }
  }
  co_return Ended::AtAPage;
}

std::chrono::milliseconds Lookup::pauseAfter(Ended ended) {
  constexpr unsigned betweenRounds = 5; // some seconds, for the service's limit
  const unsigned attempt = ended == Ended::AtAFault ? faults_ : ended == Ended::AtTheEnd ? passes_ : betweenRounds;
  return context_.patience.lookups.pauseBefore(attempt + 1, retryAfter_, context_.random);
}

Task<Finding> Lookup::adopt(const LogEntry &entry) {
  if (entry.failed) {
    row_.cause = "the service lists the submission as failed";
    co_await purchase_.recordAfterwards(LedgerRow::State::NotBought, context_.narrator);
    co_return Finding{Finding::Outcome::NotBought, ""};
  }
  row_.generationId = entry.generationId;
  row_.usage.update(entry.usage);
  co_await purchase_.recordAfterwards(LedgerRow::State::Running, context_.narrator);
  context_.narrator.note("the submission was accepted after all, as generation " + entry.generationId);
  co_return Finding{Finding::Outcome::Bought, ""};
}

Task<Result<Finding>> Lookup::carryOut() {
  context_.status().clientRequestId = row_.clientRequestId;
  context_.narrator.enter(State::LookingUp);
  context_.narrator.note("looking up whether the service accepted the submission " + row_.clientRequestId);
  for (;;) {
    const auto ended = co_await round();
    if (!ended) {
      if (ended.error().kind == ErrorKind::Cancelled)
        co_return tl::unexpected(ended.error());
      co_return Finding{Finding::Outcome::Unknown, "the lookup was refused: " + ended.error().why};
    }
    if (*ended == Ended::AtTheEntry)
      co_return co_await adopt(entry_);
    if (purchase_.byOtherKey && passes_ >= 3)
      co_return Finding{}; // this key will never see it
    if (*ended == Ended::AtAFault)
      context_.narrator.log(LogLevel::Warning,
                            "page " + std::to_string(page_) + " of the log can't be read: " + fault_);
    ++context_.status().retries;
    const auto next = Clock::now() + pauseAfter(*ended);
    if (!co_await context_.cancellation.sleepUntil(std::min(next, context_.deadline)))
      co_return stopped();
    context_.narrator.tick();
    if (next >= context_.deadline)
      break;
  }
  co_return Finding{Finding::Outcome::Unknown, "the service has not listed it within " +
                                                   std::to_string(context_.settings.timeout) + " s" +
                                                   (fault_.empty() ? "" : " (" + fault_ + ")")};
}

} // namespace

Task<Result<Finding>> lookUp(const Context &context, ServiceClient &client, Purchase &purchase) {
  Lookup lookup(context, client, purchase);
  co_return co_await lookup.carryOut();
}

} // namespace aimlvideo
