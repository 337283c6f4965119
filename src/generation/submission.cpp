// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/submission.h"

#include <algorithm>

#include <aimlvideo/money.h>

#include "api/deprecations.h"
#include "generation/remarks.h"
#include "service/listing.h"
#include "service/verdict.h"

namespace aimlvideo {

namespace {

using std::chrono::seconds;

constexpr seconds patienceForList{10};

std::string randomRequestId() {
  const GCharPtr uuid(g_uuid_string_random());
  return uuid.get();
}

class Submission {
public:
  Submission(Run &run, Reply &reply, Error &why) : run_(run), row_(run.purchase.row), reply_(reply), why_(why) {}

  Task<Result<Submitted>> carryOut();

private:
  using Sent = Exchanged<HttpResponse>;
  /// What an answer leads to.
  enum class Next { Again, Accepted, Unknown };
  Task<Result<Sent>> send();
  Task<Result<Next>> judge(const Sent &sent);
  Task<Result<Next>> accepted(const HttpResponse &response);
  Task<Result<Next>> unknown(const Sent &sent);
  Task<Result<Next>> pathUnknown(const HttpResponse &response);
  Task<Result<Next>> pause(const Sent &sent);
  const RetryPolicy &policyFor(const Sent &sent) const;
  Task<Failure> givenUp(Error error);
  Task<Failure> withReplacement(Error error);

  Run &run_;
  LedgerRow &row_;
  Reply &reply_;
  Error &why_;
  unsigned attempts_ = 0;
};

/// One attempt. Its two steps are on disk before the request can be acted on: without its body it says nothing. Where
/// they can't be written, it does not leave.
Task<Result<Submission::Sent>> Submission::send() {
  ++attempts_;
  row_.clientRequestId = randomRequestId();
  row_.requestId.clear();
  run_.status().clientRequestId = row_.clientRequestId;
  Result<void> recorded = co_await run_.purchase.record(LedgerRow::State::Intent);
  if (!recorded)
    co_return recorded.failure();
  const auto starting = [&]() -> Task<bool> {
    recorded = co_await run_.purchase.record(LedgerRow::State::Sent);
    co_return recorded.has_value();
  };
  run_.watch.forget();
  run_.status().accepted = Clock::now(); // or so, should the answer be lost
  const AttemptTime time{run_.deadline, run_.patience.submission};
  auto response = co_await run_.client->create(row_.family, row_.clientRequestId, run_.cancellation, time, starting);
  if (!recorded)
    co_return recorded.failure();
  if (response)
    row_.requestId = requestIdOf(*response);
  co_return response;
}

Task<Result<Submitted>> Submission::carryOut() {
  const Model *model = run_.plan.request.known;
  const EndpointChoice choice = run_.settings.endpoint;
  const bool legacyFirst =
      choice == EndpointChoice::Legacy || (choice == EndpointChoice::Auto && model && model->legacyOnly);
  row_.family = legacyFirst ? EndpointFamily::Legacy : EndpointFamily::Universal;
  run_.narrator.enter(State::Submitting);
  for (;;) {
    const auto sent = co_await send();
    if (!sent)
      co_return sent.failure();
    const auto next = co_await judge(*sent);
    if (!next)
      co_return next.failure();
    if (*next != Next::Again)
      co_return *next == Next::Accepted ? Submitted::Accepted : Submitted::Unknown;
  }
}

Task<Result<Submission::Next>> Submission::judge(const Sent &sent) {
  switch (verdictOn(sent)) {
  case Verdict::Accepted:
    co_return co_await accepted(*sent);
  case Verdict::Unknown:
    break;
  case Verdict::PathUnknown:
    co_return co_await pathUnknown(*sent);
  case Verdict::Cancelled:
    co_await run_.recordAfterwards(LedgerRow::State::Intent);
    co_return stopped();
  case Verdict::Unreachable:
  case Verdict::TurnedAway:
    co_return co_await pause(sent);
  case Verdict::Untrusted:
    co_return co_await givenUp(notReached(run_, sent.error()));
  case Verdict::Refused: {
    auto refused = co_await givenUp(refusalFrom(*sent));
    co_return co_await withReplacement(std::move(refused.value()));
  }
  }
  co_return co_await unknown(sent);
}

Task<Result<Submission::Next>> Submission::unknown(const Sent &sent) {
  if (!sent) {
    why_.why = sent.error().message;
  } else {
    why_ = refusalFrom(*sent);
    if (!row_.requestId.empty())
      co_await run_.recordAfterwards(LedgerRow::State::Sent);
  }
  co_return Next::Unknown;
}

Task<Result<Submission::Next>> Submission::pathUnknown(const HttpResponse &response) {
  if (run_.settings.endpoint != EndpointChoice::Auto || row_.family != EndpointFamily::Universal)
    co_return co_await givenUp(refusalFrom(response));
  run_.narrator.log(LogLevel::Info, "the service does not know the universal path, trying the legacy one");
  row_.family = EndpointFamily::Legacy;
  co_return Next::Again;
}

/// Where the service does not know the model, its list of those that it has given up may say why, and what took its
/// place. Asked once the ledger has the refusal: who is killed meanwhile has nothing to look up.
Task<Failure> Submission::withReplacement(Error error) {
  const bool unknownHere = !run_.plan.request.known && (error.httpStatus == 400 || error.httpStatus == 422);
  if (error.httpStatus != 404 && error.httpStatus != 410 && !unknownHere)
    co_return Failure{std::move(error)};
  const auto list = co_await fetchDeprecations(*run_.session, run_.plan.baseUrl, run_.cancellation,
                                               std::min(run_.deadline, Clock::now() + patienceForList));
  const auto deprecation = list ? deprecationIn(*list, row_.model) : std::nullopt;
  if (!deprecation)
    co_return Failure{std::move(error)};
  error.why += "; " + deprecation->sentence(row_.model);
  if (!deprecation->replacedBy.empty())
    error.remedy = "Set model to " + deprecation->replacedBy;
  co_return Failure{std::move(error)};
}

/// Nothing was accepted: waits before the next attempt, if there is one.
Task<Result<Submission::Next>> Submission::pause(const Sent &sent) {
  const Error cause = sent ? refusalFrom(*sent) : notReached(run_, sent.error());
  const RetryPolicy &policy = policyFor(sent);
  const auto retryAfter = sent ? retryAfterOf(*sent) : std::nullopt;
  const auto next = Clock::now() + policy.pauseBefore(attempts_ + 1, retryAfter, run_.random);
  if (attempts_ >= policy.attempts || next >= run_.deadline)
    co_return co_await givenUp(cause);
  co_await run_.recordAfterwards(LedgerRow::State::Intent); // a crash in the pause has bought nothing
  ++run_.status().retries;
  run_.narrator.note("nothing was accepted, trying again: " + cause.why);
  if (co_await run_.cancellation.sleepUntil(next))
    co_return Next::Again;
  Error end = stopped().value();
  co_return co_await givenUp(std::move(end));
}

const RetryPolicy &Submission::policyFor(const Sent &sent) const {
  if (!sent && sent.error().cause != TransportError::Cause::Declined)
    return run_.patience.unreachable;
  const bool tooLarge = sent && sent->status == 413;
  return tooLarge ? run_.patience.tooLarge : run_.patience.turnedAway;
}

/// Nothing was accepted and nothing more will be sent.
Task<Failure> Submission::givenUp(Error error) {
  row_.cause = error.why;
  co_await run_.recordAfterwards(error.kind == ErrorKind::Cancelled ? LedgerRow::State::Intent
                                                                    : LedgerRow::State::Failed);
  co_return Failure{std::move(error)};
}

Task<Result<Submission::Next>> Submission::accepted(const HttpResponse &response) {
  auto parsed = parseReply(response.body);
  reply_ = parsed ? std::move(*parsed) : Reply{};
  if (reply_.id.empty())
    reply_.id = response.header("x-inference-id").value_or("");
  if (reply_.id.empty()) {
    why_.httpStatus = response.status;
    why_.why = parsed ? "the service's answer names no generation" : run_.client->withoutSecrets(parsed.error());
    co_return Next::Unknown;
  }
  row_.generationId = reply_.id;
  run_.status().origin = Origin::Bought;
  const Moment now = Moment::now();
  run_.watch.begin(std::chrono::milliseconds(0), now);
  run_.status().accepted = now.steady;
  row_.submitted = now.wall.count();
  run_.retryAfter = retryAfterOf(response);
  row_.usage.update(reply_.usage);
  const auto amountIn = [&response](const char *header) {
    const auto text = response.header(header);
    return text ? parseUsd(*text) : std::nullopt;
  };
  row_.usage.update({amountIn("x-aimlapi-credits-used"), amountIn("x-aimlapi-usd-spent")});
  co_await run_.recordAfterwards(LedgerRow::State::Running);
  run_.status().submitTime = run_.status().elapsed();
  if (!parsed)
    reply_.state = JobState::Queued;
  co_return Next::Accepted;
}

} // namespace

Task<Result<Submitted>> submit(Run &run, Reply &reply, Error &why) {
  LedgerRow &row = run.purchase.row;
  if (row.state != LedgerRow::State::Intent)
    run.purchase.renew();
  row.model = run.plan.request.model;
  row.duration = run.kind.duration;
  row.resolution = run.kind.resolution;
  row.submitted = 0;
  row.keyFingerprint = run.purchase.ledger->fingerprint(run.plan.key);
  run.purchase.byOtherKey = false; // of one that an earlier run meant to send, and did not
  if (run.settings.storePrompt)
    row.prompt = run.plan.request.prompt;
  Submission submission(run, reply, why);
  auto submitted = co_await submission.carryOut();
  if (submitted && *submitted == Submitted::Accepted)
    run.plan.request = {}; // a run buys one; the body may hold megabytes of image
  co_return submitted;
}

} // namespace aimlvideo
