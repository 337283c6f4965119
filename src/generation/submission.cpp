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
  Submission(const Context &context, const Plan &plan, HttpSession &session, ServiceClient &client, Purchase &purchase)
      : context_(context), plan_(plan), session_(session), client_(client), purchase_(purchase), row_(purchase.row) {}

  Task<Result<Submitted>> carryOut();

private:
  using Sent = Exchanged<HttpResponse>;
  /// What an answer leads to: another attempt, or an end.
  struct Again {};
  using Next = std::variant<Again, UnderWay, Error>;
  Task<Result<Sent>> send();
  Task<Result<Next>> judge(const Sent &sent);
  Task<Result<Next>> accepted(const HttpResponse &response);
  Task<Result<Next>> unknown(const Sent &sent);
  Task<Result<Next>> pathUnknown(const HttpResponse &response);
  Task<Result<Next>> pause(const Sent &sent);
  const RetryPolicy &policyFor(const Sent &sent) const;
  Task<Failure> givenUp(Error error);
  Task<Failure> withReplacement(Error error);

  const Context &context_;
  const Plan &plan_;
  HttpSession &session_;
  ServiceClient &client_;
  Purchase &purchase_;
  LedgerRow &row_;
  unsigned attempts_ = 0;
};

/// One attempt. Its two steps are on disk before the request can be acted on: without its body it says nothing. Where
/// they can't be written, it does not leave.
Task<Result<Submission::Sent>> Submission::send() {
  ++attempts_;
  row_.clientRequestId = randomRequestId();
  row_.requestId.clear();
  context_.status().clientRequestId = row_.clientRequestId;
  Result<void> recorded = co_await purchase_.reserve();
  if (!recorded)
    co_return recorded.failure();
  const auto starting = [&]() -> Task<bool> {
    recorded = co_await purchase_.record(LedgerRow::State::Sent);
    co_return recorded.has_value();
  };
  context_.status().accepted = Clock::now(); // or so, should the answer be lost
  const AttemptTime time{context_.deadline, context_.patience.submission};
  auto response = co_await client_.create(row_.family, row_.clientRequestId, context_.cancellation, time, starting);
  if (!recorded)
    co_return recorded.failure();
  if (response)
    row_.requestId = requestIdOf(*response);
  co_return response;
}

Task<Result<Submitted>> Submission::carryOut() {
  const Model *model = plan_.request.known;
  const EndpointChoice choice = context_.settings.endpoint;
  const bool legacyFirst =
      choice == EndpointChoice::Legacy || (choice == EndpointChoice::Auto && model && model->legacyOnly);
  row_.family = legacyFirst ? EndpointFamily::Legacy : EndpointFamily::Universal;
  context_.narrator.enter(State::Submitting);
  for (;;) {
    const auto sent = co_await send();
    if (!sent)
      co_return sent.failure();
    auto next = co_await judge(*sent);
    if (!next)
      co_return std::move(next).failure();
    if (auto *accepted = std::get_if<UnderWay>(&*next))
      co_return Submitted(std::move(*accepted));
    if (auto *doubt = std::get_if<Error>(&*next))
      co_return Submitted(std::move(*doubt));
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
    co_await purchase_.recordAfterwards(LedgerRow::State::Intent, context_.narrator);
    co_return stopped();
  case Verdict::Unreachable:
  case Verdict::TurnedAway:
    co_return co_await pause(sent);
  case Verdict::Untrusted:
    co_return co_await givenUp(notReached(context_.settings, plan_.baseUrl, sent.error()));
  case Verdict::Refused: {
    auto refused = co_await givenUp(refusalFrom(*sent));
    co_return co_await withReplacement(std::move(refused.value()));
  }
  }
  co_return co_await unknown(sent);
}

Task<Result<Submission::Next>> Submission::unknown(const Sent &sent) {
  Error doubt{};
  if (!sent) {
    doubt.why = sent.error().message;
  } else {
    doubt = refusalFrom(*sent);
    if (!row_.requestId.empty())
      co_await purchase_.recordAfterwards(LedgerRow::State::Sent, context_.narrator);
  }
  co_return Next(std::move(doubt));
}

Task<Result<Submission::Next>> Submission::pathUnknown(const HttpResponse &response) {
  if (context_.settings.endpoint != EndpointChoice::Auto || row_.family != EndpointFamily::Universal)
    co_return co_await givenUp(refusalFrom(response));
  context_.narrator.log(LogLevel::Info, "the service does not know the universal path, trying the legacy one");
  row_.family = EndpointFamily::Legacy;
  co_return Next(Again{});
}

/// Where the service does not know the model, its list of those that it has given up may say why, and what took its
/// place. Asked once the ledger has the refusal: who is killed meanwhile has nothing to look up.
Task<Failure> Submission::withReplacement(Error error) {
  const bool unknownHere = !plan_.request.known && (error.httpStatus == 400 || error.httpStatus == 422);
  if (error.httpStatus != 404 && error.httpStatus != 410 && !unknownHere)
    co_return Failure{std::move(error)};
  const auto list = co_await fetchDeprecations(session_, plan_.baseUrl, context_.cancellation,
                                               std::min(context_.deadline, Clock::now() + patienceForList));
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
  const Error cause = sent ? refusalFrom(*sent) : notReached(context_.settings, plan_.baseUrl, sent.error());
  const RetryPolicy &policy = policyFor(sent);
  const auto retryAfter = sent ? retryAfterOf(*sent) : std::nullopt;
  const auto next = Clock::now() + policy.pauseBefore(attempts_ + 1, retryAfter, context_.random);
  if (attempts_ >= policy.attempts || next >= context_.deadline)
    co_return co_await givenUp(cause);
  co_await purchase_.recordAfterwards(LedgerRow::State::Intent,
                                      context_.narrator); // a crash in the pause has bought nothing
  ++context_.status().retries;
  context_.narrator.note("nothing was accepted, trying again: " + cause.why);
  if (co_await context_.cancellation.sleepUntil(next))
    co_return Next(Again{});
  Error end = stopped().value();
  co_return co_await givenUp(std::move(end));
}

const RetryPolicy &Submission::policyFor(const Sent &sent) const {
  if (!sent && sent.error().cause != TransportError::Cause::Declined)
    return context_.patience.unreachable;
  const bool tooLarge = sent && sent->status == 413;
  return tooLarge ? context_.patience.tooLarge : context_.patience.turnedAway;
}

/// Nothing was accepted and nothing more will be sent.
Task<Failure> Submission::givenUp(Error error) {
  row_.cause = error.why;
  const auto state = error.kind == ErrorKind::Cancelled ? LedgerRow::State::Intent : LedgerRow::State::Failed;
  co_await purchase_.recordAfterwards(state, context_.narrator);
  co_return Failure{std::move(error)};
}

Task<Result<Submission::Next>> Submission::accepted(const HttpResponse &response) {
  UnderWay underWay;
  Reply &reply = underWay.reply;
  auto parsed = parseReply(response.body);
  if (parsed)
    reply = std::move(*parsed);
  if (reply.id.empty())
    reply.id = response.header("x-inference-id").value_or("");
  if (reply.id.empty()) {
    Error doubt{};
    doubt.httpStatus = response.status;
    doubt.why = parsed ? "the service's answer names no generation" : client_.withoutSecrets(parsed.error());
    co_return Next(std::move(doubt));
  }
  row_.generationId = reply.id;
  context_.status().origin = Origin::Bought;
  const Moment now = Moment::now();
  underWay.watch.begin(std::chrono::milliseconds(0), now);
  context_.status().accepted = now.steady;
  row_.submitted = now.wall.count();
  underWay.retryAfter = retryAfterOf(response);
  row_.usage.update(reply.usage);
  const auto amountIn = [&response](const char *header) {
    const auto text = response.header(header);
    return text ? parseUsd(*text) : std::nullopt;
  };
  row_.usage.update({amountIn("x-aimlapi-credits-used"), amountIn("x-aimlapi-usd-spent")});
  co_await purchase_.recordAfterwards(LedgerRow::State::Running, context_.narrator);
  context_.status().submitTime = context_.status().elapsed();
  co_return Next(std::move(underWay));
}

} // namespace

namespace {

/// Once for a ledger that is older than this.
Task<void> tellOfPrompts(const Context &context, Ledger &ledger) {
  const bool due = co_await onPool([&ledger] { return ledger.takeNotice(); });
  if (due)
    context.narrator.warn("prompts and the names of outputs are kept in the ledger on this machine from now on, for "
                          "`aimlvideo jobs`, readable by this user only; store-prompt=false keeps them out");
}

} // namespace

Task<Result<Submitted>> submit(const Context &context, const Plan &plan, HttpSession &session, ServiceClient &client,
                               Purchase &purchase, const JobKind &kind) {
  LedgerRow &row = purchase.row;
  if (row.state != LedgerRow::State::Intent)
    purchase.renew();
  row.model = plan.request.model;
  row.duration = kind.duration;
  row.resolution = kind.resolution;
  row.submitted = 0;
  row.keyFingerprint = purchase.ledger->fingerprint(plan.key);
  purchase.byOtherKey = false; // of one that an earlier run meant to send, and did not
  const StorePrompt choice = context.settings.storePrompt;
  const bool kept = purchase.ledger->keepsPrompts(choice);
  row.prompt = kept ? plan.request.prompt : "";
  row.output = kept ? context.settings.output : "";
  if (kept && choice == StorePrompt::Default && purchase.ledger->noticeDue())
    co_await tellOfPrompts(context, *purchase.ledger);
  Submission submission(context, plan, session, client, purchase);
  co_return co_await submission.carryOut();
}

} // namespace aimlvideo
