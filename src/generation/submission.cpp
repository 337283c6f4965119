// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/submission.h"

#include <algorithm>

#include "account/listing.h"
#include "api/deprecations.h"
#include "base/money.h"
#include "generation/remarks.h"
#include "generation/verdict.h"

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
  explicit Submission(Run &run) : run_(run), row_(run.purchase.row) {}

  Task<Result<std::optional<Reply>>> carryOut(Error &why);

private:
  Task<Result<Exchanged<HttpResponse>>> send();
  Task<std::optional<Reply>> accepted(const HttpResponse &response, Error &why);
  Task<Result<void>> pause(const RetryPolicy &policy, const Error &cause, const Exchanged<HttpResponse> &response);
  const RetryPolicy &policyFor(const Exchanged<HttpResponse> &response) const;
  Task<Failure> givenUp(Error error);
  Task<Failure> withReplacement(Error error);

  Run &run_;
  LedgerRow &row_;
  unsigned attempts_ = 0;
};

/// One attempt. Its two steps are on disk before the request can be acted on: without its body it says nothing. Where
/// they can't be written, it does not leave.
Task<Result<Exchanged<HttpResponse>>> Submission::send() {
  ++attempts_;
  row_.clientRequestId = randomRequestId();
  row_.requestId.clear();
  run_.status().clientRequestId = row_.clientRequestId;
  if (auto written = co_await run_.purchase.record(LedgerRow::State::Intent); !written)
    co_return tl::unexpected(std::move(written.error()));
  Result<void> recorded;
  const auto starting = [&]() -> Task<bool> {
    recorded = co_await run_.purchase.record(LedgerRow::State::Sent);
    co_return recorded.has_value();
  };
  run_.watch.forget();
  run_.status().accepted = Clock::now(); // or so, should the answer be lost
  const AttemptTime time{run_.deadline, run_.patience.submission};
  auto response = co_await run_.client->create(row_.family, row_.clientRequestId, run_.cancellation, time, starting);
  if (!recorded)
    co_return tl::unexpected(std::move(recorded.error()));
  if (response)
    row_.requestId = requestIdOf(*response);
  co_return response;
}

Task<Result<std::optional<Reply>>> Submission::carryOut(Error &why) {
  const Model *model = run_.plan.request.known;
  const EndpointChoice choice = run_.settings.endpoint;
  const bool legacyFirst =
      choice == EndpointChoice::Legacy || (choice == EndpointChoice::Auto && model && model->legacyOnly);
  row_.family = legacyFirst ? EndpointFamily::Legacy : EndpointFamily::Universal;
  run_.narrator.enter(State::Submitting);

  for (;;) {
    const auto sent = co_await send();
    if (!sent)
      co_return tl::unexpected(sent.error());
    const Exchanged<HttpResponse> &response = *sent;
    const Verdict verdict = verdictOn(response);
    switch (verdict) {
    case Verdict::Accepted:
      co_return co_await accepted(*response, why);
    case Verdict::Unknown:
      if (!response) {
        why.why = response.error().message;
      } else {
        why = refusalFrom(*response);
        if (!row_.requestId.empty())
          co_await run_.recordAfterwards(LedgerRow::State::Sent);
      }
      co_return std::optional<Reply>();
    case Verdict::PathUnknown:
      if (choice != EndpointChoice::Auto || row_.family != EndpointFamily::Universal)
        co_return co_await givenUp(refusalFrom(*response));
      run_.narrator.log("the service does not know the universal path, trying the legacy one");
      row_.family = EndpointFamily::Legacy;
      break;
    case Verdict::Cancelled:
      co_await run_.recordAfterwards(LedgerRow::State::Intent);
      co_return stopped();
    case Verdict::Unreachable:
    case Verdict::TurnedAway: {
      const Error cause = response ? refusalFrom(*response) : notReached(run_, response.error());
      if (const auto paused = co_await pause(policyFor(response), cause, response); !paused)
        co_return co_await givenUp(paused.error());
      break;
    }
    case Verdict::Untrusted:
      co_return co_await givenUp(notReached(run_, response.error()));
    case Verdict::Refused:
      co_return co_await withReplacement((co_await givenUp(refusalFrom(*response))).value());
    }
  }
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

/// Waits before the next attempt, or says why there is none.
Task<Result<void>> Submission::pause(const RetryPolicy &policy, const Error &cause,
                                     const Exchanged<HttpResponse> &response) {
  const auto retryAfter = response ? retryAfterOf(*response) : std::nullopt;
  const auto next = Clock::now() + policy.pauseBefore(attempts_ + 1, retryAfter, run_.random);
  if (attempts_ >= policy.attempts || next >= run_.deadline)
    co_return tl::unexpected(cause);
  co_await run_.recordAfterwards(LedgerRow::State::Intent); // a crash in the pause has bought nothing
  ++run_.status().retries;
  run_.narrator.note("nothing was accepted, trying again: " + cause.why);
  if (!co_await run_.cancellation.sleepUntil(next))
    co_return stopped();
  co_return {};
}

const RetryPolicy &Submission::policyFor(const Exchanged<HttpResponse> &response) const {
  if (!response && response.error().cause != TransportError::Cause::Declined)
    return run_.patience.unreachable;
  const bool tooLarge = response && response->status == 413;
  return tooLarge ? run_.patience.tooLarge : run_.patience.turnedAway;
}

/// Nothing was accepted and nothing more will be sent.
Task<Failure> Submission::givenUp(Error error) {
  row_.cause = error.why;
  co_await run_.recordAfterwards(error.kind == ErrorKind::Cancelled ? LedgerRow::State::Intent
                                                                    : LedgerRow::State::Failed);
  co_return Failure{std::move(error)};
}

Task<std::optional<Reply>> Submission::accepted(const HttpResponse &response, Error &why) {
  auto parsed = parseReply(response.body);
  Reply reply = parsed ? std::move(*parsed) : Reply{};
  if (reply.id.empty())
    reply.id = response.header("x-inference-id").value_or("");
  if (reply.id.empty()) {
    why.httpStatus = response.status;
    why.why = parsed ? "the service's answer names no generation" : run_.client->withoutSecrets(parsed.error());
    co_return std::nullopt;
  }
  row_.generationId = reply.id;
  run_.status().origin = Origin::Bought;
  const Moment now = Moment::now();
  run_.watch.begin(std::chrono::milliseconds(0), now);
  run_.status().accepted = now.steady;
  row_.submitted = now.wall.count();
  run_.retryAfter = retryAfterOf(response);
  row_.usage.update(reply.usage);
  const auto amountIn = [&response](const char *header) {
    const auto text = response.header(header);
    return text ? parseUsd(*text) : std::nullopt;
  };
  row_.usage.update({amountIn("x-aimlapi-credits-used"), amountIn("x-aimlapi-usd-spent")});
  co_await run_.recordAfterwards(LedgerRow::State::Running);
  run_.status().submitTime = run_.status().elapsed();
  if (!parsed)
    reply.state = JobState::Queued;
  co_return reply;
}

} // namespace

Task<Result<std::optional<Reply>>> submit(Run &run, Error &why) {
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
  Submission submission(run);
  auto reply = co_await submission.carryOut(why);
  if (reply && *reply)
    run.plan.request.body = {}; // it may hold megabytes of image and is not needed during the wait
  co_return reply;
}

} // namespace aimlvideo
