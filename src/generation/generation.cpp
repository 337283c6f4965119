// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/generation.h"

#include <algorithm>
#include <exception>

#include "generation/poll_schedule.h"
#include "generation/verdict.h"

namespace aimlvideo {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// A sign of life for a person at a terminal; a change of state is told at once.
constexpr seconds noteInterval{5};

/// A completed reply without a clip is asked for again this often.
constexpr unsigned completedWithoutClip = 3;

std::string hashOf(const std::string &baseUrl, const std::string &body) {
  const std::unique_ptr<GChecksum, void (*)(GChecksum *)> checksum(g_checksum_new(G_CHECKSUM_SHA256), g_checksum_free);
  for (const std::string *part : {&baseUrl, &body}) {
    g_checksum_update(checksum.get(), reinterpret_cast<const guchar *>(part->data()),
                      static_cast<gssize>(part->size()));
    g_checksum_update(checksum.get(), reinterpret_cast<const guchar *>("\n"), 1);
  }
  return g_checksum_get_string(checksum.get());
}

std::string randomRequestId() {
  const GCharPtr uuid(g_uuid_string_random());
  return uuid.get();
}

std::optional<seconds> retryAfterOf(const HttpResponse &response) {
  const auto value = response.header("Retry-After");
  return value ? parseRetryAfter(*value, std::chrono::system_clock::now()) : std::nullopt;
}

Failure stopped() {
  return failure(ErrorKind::Cancelled, "the generation was stopped");
}

} // namespace

Generation::Generation(Settings settings, Purchase earlier, Cancellation &cancellation, Callbacks callbacks,
                       Patience patience)
    : settings_(std::move(settings)),
      patience_(patience),
      purchase_(std::move(earlier)),
      cancellation_(cancellation),
      callbacks_(std::move(callbacks)) {}

Result<std::shared_ptr<Spool>> Generation::run() {
  status_.started = Clock::now();
  deadline_ = status_.started + seconds(settings_.timeout);
  Result<std::shared_ptr<Spool>> result = stopped();
  try {
    result = carryOut();
  } catch (const std::exception &exception) {
    result = failure(ErrorKind::BadAnswer, "the generation can't go on", exception.what(), "");
  }
  if (!result)
    result = finish(std::move(result.error()));
  enter(result ? State::Completed : (result.error().kind == ErrorKind::Cancelled ? State::Cancelled : State::Failed));
  return result;
}

Result<std::shared_ptr<Spool>> Generation::carryOut() {
  auto plan = prepare(settings_);
  if (!plan)
    return tl::unexpected(std::move(plan.error()));
  if (cancellation_.cancelled())
    return stopped();
  plan_ = std::move(*plan);
  status_.model = plan_.request.model;
  status_.prompt = plan_.request.prompt;
  if (plan_.request.known && plan_.request.known->sample.seconds > 0)
    status_.typicalTime = seconds(plan_.request.known->sample.seconds);

  SessionOptions options;
  options.userAgent = settings_.userAgent;
  options.proxy = settings_.proxy;
  options.tlsDatabase = settings_.tlsDatabase;
  options.idleTimeout = patience_.idleConnection;
  session_ = std::make_unique<HttpSession>(options);
  client_ = std::make_unique<ServiceClient>(*session_, plan_, settings_.extraHeaders);

  auto begun = begin();
  if (!begun)
    return tl::unexpected(std::move(begun.error()));
  if (purchase_.clip)
    return purchase_.clip;
  const auto firstPoll = status_.reused ? Clock::now() : Clock::now() + pauseBeforePoll();
  auto completed = waitForCompletion(std::move(*begun), firstPoll);
  if (!completed)
    return tl::unexpected(std::move(completed.error()));
  auto clip = download(std::move(*completed));
  if (clip)
    keep(*clip);
  return clip;
}

/// The generation to wait for: a given one, the one that an earlier run bought, or a new one.
Result<Reply> Generation::begin() {
  const bool given = !settings_.generationId.empty();
  const std::string wanted = given ? "" : hashOf(plan_.baseUrl, plan_.request.body);
  const bool same = given ? purchase_.generationId == settings_.generationId : purchase_.request == wanted;
  if (!same)
    purchase_ = {};
  status_.clientRequestId = purchase_.clientRequestId;
  if (!given && purchase_.stage == Purchase::Stage::Sent)
    return tl::unexpected(unknownOutcome("an earlier run was stopped before the service had answered"));
  if (!given && purchase_.stage == Purchase::Stage::None) {
    purchase_.request = wanted;
    return submit();
  }
  if (given && !same) {
    purchase_.generationId = settings_.generationId;
    purchase_.family =
        settings_.endpoint == EndpointChoice::Legacy ? EndpointFamily::Legacy : EndpointFamily::Universal;
  }
  status_.reused = true;
  setStage(Purchase::Stage::Known);
  Reply pending;
  pending.state = JobState::Queued;
  return pending;
}

Exchanged<HttpResponse> Generation::sendSubmission() {
  purchase_.clientRequestId = randomRequestId();
  status_.clientRequestId = purchase_.clientRequestId;
  const auto attemptDeadline = std::min(deadline_, Clock::now() + patience_.submission);
  return client_->create(purchase_.family, purchase_.clientRequestId, cancellation_, attemptDeadline,
                         [this] { setStage(Purchase::Stage::Sent); });
}

Result<Reply> Generation::submit() {
  const Model *model = plan_.request.known;
  const bool legacyFirst = settings_.endpoint == EndpointChoice::Legacy ||
                           (settings_.endpoint == EndpointChoice::Auto && model && model->legacyOnly);
  purchase_.family = legacyFirst ? EndpointFamily::Legacy : EndpointFamily::Universal;
  enter(State::Submitting);

  for (unsigned attempts = 1;; ++attempts) {
    const auto response = sendSubmission();
    const Verdict verdict = verdictOn(response);
    if (verdict == Verdict::Accepted)
      return accepted(*response);
    if (verdict == Verdict::Unknown) {
      Error error = unknownOutcome(response ? refusalFrom(*response).why : response.error().message);
      if (response) {
        error.httpStatus = response->status;
        error.serviceMessage = serviceMessage(response->body);
      }
      // a user who stops the element has not asked for an error
      if (cancellation_.cancelled())
        error.kind = ErrorKind::Cancelled;
      return tl::unexpected(std::move(error));
    }

    setStage(Purchase::Stage::None);
    const bool tryLegacy = verdict == Verdict::PathUnknown && settings_.endpoint == EndpointChoice::Auto &&
                           purchase_.family == EndpointFamily::Universal;
    if (tryLegacy) {
      callbacks_.log("the service does not know the universal path, trying the legacy one");
      purchase_.family = EndpointFamily::Legacy;
      continue;
    }
    switch (verdict) {
    case Verdict::Cancelled:
      return stopped();
    case Verdict::Unreachable:
    case Verdict::TurnedAway: {
      const bool away = verdict == Verdict::TurnedAway;
      const Error cause = away ? refusalFrom(*response) : notReached(response.error());
      const auto paused =
          pauseBeforeSubmission(attempts, away ? patience_.turnedAway : patience_.unreachable, cause, response);
      if (!paused)
        return tl::unexpected(paused.error());
      break;
    }
    case Verdict::Untrusted:
      return tl::unexpected(notReached(response.error()));
    default:
      return tl::unexpected(refusalFrom(*response));
    }
  }
}

/// Waits before the next attempt to submit, or says why there is none.
Result<void> Generation::pauseBeforeSubmission(unsigned attempts, const RetryPolicy &policy, const Error &cause,
                                               const Exchanged<HttpResponse> &response) {
  const auto retryAfter = response ? retryAfterOf(*response) : std::nullopt;
  const auto next = Clock::now() + policy.pauseBefore(attempts + 1, retryAfter, random_);
  if (attempts >= policy.attempts || next >= deadline_)
    return tl::unexpected(cause);
  ++status_.retries;
  note("nothing was accepted, trying again: " + cause.why);
  if (!cancellation_.sleepUntil(next))
    return stopped();
  return {};
}

Result<Reply> Generation::accepted(const HttpResponse &response) {
  auto parsed = parseReply(response.body);
  Reply reply = parsed ? std::move(*parsed) : Reply{};
  if (reply.id.empty())
    reply.id = response.header("x-inference-id").value_or("");
  if (reply.id.empty()) {
    Error error =
        unknownOutcome(parsed ? "the service's answer names no generation" : client_->withoutKey(parsed.error()));
    error.httpStatus = response.status;
    return tl::unexpected(std::move(error));
  }
  purchase_.generationId = reply.id;
  setStage(Purchase::Stage::Known);
  plan_.request.body = {}; // it may hold megabytes of image and is not needed during the wait
  status_.submitTime = status_.elapsed();
  Usage fromHeaders;
  if (const auto credits = response.header("x-aimlapi-credits-used"))
    fromHeaders.credits = g_ascii_strtod(credits->c_str(), nullptr);
  if (const auto usd = response.header("x-aimlapi-usd-spent"))
    fromHeaders.usd = g_ascii_strtod(usd->c_str(), nullptr);
  status_.usage.update(fromHeaders);
  if (!parsed)
    reply.state = JobState::Queued;
  return reply;
}

Result<Reply> Generation::waitForCompletion(Reply reply, Clock::time_point firstPoll) {
  const auto begun = Clock::now();
  auto next = firstPoll;
  for (unsigned withoutClip = 0;;) {
    takeOver(reply);
    if (reply.state == JobState::Failed) {
      const Error error = failedGeneration(reply);
      setStage(Purchase::Stage::None); // not billed
      return tl::unexpected(error);
    }
    if (reply.state == JobState::Completed && !reply.clipUrl.empty()) {
      if (status_.state != State::Downloading)
        status_.waitTime = duration_cast<milliseconds>(Clock::now() - begun);
      return reply;
    }
    if (reply.state == JobState::Completed && ++withoutClip > completedWithoutClip)
      return failure(ErrorKind::BadAnswer, "the service reports a completed generation without a clip", reply.error,
                     resumeHint());
    auto answer = nextReply(next);
    if (!answer)
      return answer;
    reply = std::move(*answer);
    next = Clock::now() + pauseBeforePoll();
  }
}

/// What went wrong since the last good answer.
struct Generation::PollFaults {
  unsigned inRow = 0;
  unsigned unknownIds = 0;
  std::string cause;
  std::optional<seconds> retryAfter;
};

/// Asks until there is an answer that says something. Faults are ridden out: the generation is paid for.
Result<Reply> Generation::nextReply(Clock::time_point firstPoll) {
  PollFaults faults;
  for (auto next = firstPoll;;) {
    if (!cancellation_.sleepUntil(std::min(next, deadline_)))
      return stopped();
    if (next >= deadline_)
      return tl::unexpected(deadlinePassed(faults.cause));
    auto reply = poll(faults);
    noteProgress();
    if (!reply)
      return tl::unexpected(std::move(reply.error()));
    if (*reply)
      return std::move(**reply);
    ++status_.retries;
    callbacks_.log("poll " + std::to_string(status_.polls) + " failed: " + faults.cause);
    next = Clock::now() + patience_.polls.pauseBefore(++faults.inRow + 1, faults.retryAfter, random_);
  }
}

/// One poll. Nothing where its answer says nothing; an error where no other poll will help.
Result<std::optional<Reply>> Generation::poll(PollFaults &faults) {
  const auto response = client_->poll(purchase_.family, purchase_.generationId, cancellation_,
                                      std::min(deadline_, Clock::now() + patience_.poll));
  ++status_.polls;
  faults.retryAfter.reset();
  if (!response) {
    if (response.error().cause == TransportError::Cause::Cancelled)
      return stopped();
    // the poll that the deadline cuts short says nothing about what went wrong before
    if (faults.cause.empty() || Clock::now() < deadline_)
      faults.cause = response.error().message;
    return std::nullopt;
  }
  if (!response->successful())
    return judgePoll(*response, faults);
  auto reply = parseReply(response->body);
  if (!reply) {
    faults.cause = client_->withoutKey(reply.error());
    return std::nullopt;
  }
  return std::optional(std::move(*reply));
}

Result<std::optional<Reply>> Generation::judgePoll(const HttpResponse &response, PollFaults &faults) {
  Error refusal = refusalFrom(response);
  faults.cause = refusal.why;
  faults.retryAfter = retryAfterOf(response);
  if (refusal.kind == ErrorKind::NotAuthorized)
    return tl::unexpected(std::move(refusal));
  if (response.status != 400 && response.status != 404)
    return std::nullopt;
  // right after the submission the id may not be known yet; a given id does not tell its family
  if (!settings_.generationId.empty() && settings_.endpoint == EndpointChoice::Auto)
    purchase_.family =
        purchase_.family == EndpointFamily::Universal ? EndpointFamily::Legacy : EndpointFamily::Universal;
  if (++faults.unknownIds < patience_.unknownIdAnswers)
    return std::nullopt;
  refusal.kind = ErrorKind::NotFound;
  refusal.what = "the service does not know the generation " + purchase_.generationId;
  refusal.remedy = "Check generation-id, endpoint and base-url, and that the key belongs to the same account";
  return tl::unexpected(std::move(refusal));
}

milliseconds Generation::pauseBeforePoll() {
  if (settings_.pollInterval > 0)
    return milliseconds(std::max(settings_.pollInterval, 100U));
  return pollPause(status_.elapsed() - status_.submitTime, random_);
}

Result<std::shared_ptr<Spool>> Generation::download(Reply reply) {
  enter(State::Downloading);
  const auto begun = Clock::now();
  auto spool = Spool::create(settings_.temporaryFolder);
  if (!spool)
    return tl::unexpected(std::move(spool.error()));
  Downloader::Limits limits;
  limits.maximumSize = settings_.maximumClipSize;
  limits.loopbackHttp = plan_.loopback;
  limits.deadline = deadline_;
  limits.retries = patience_.downloads;
  Downloader::Callbacks callbacks;
  callbacks.freshUrl = [this] {
    return freshUrl();
  };
  callbacks.progressed = [this](uint64_t received, std::optional<uint64_t> total) {
    status_.bytesReceived = received;
    status_.bytesTotal = total;
    noteProgress();
  };
  callbacks.retrying = [this](const std::string &why) {
    ++status_.retries;
    note("downloading again: " + why);
  };
  Downloader downloader(*session_, cancellation_, limits, std::move(callbacks));
  const auto fetched = downloader.fetch(std::move(reply.clipUrl), **spool);
  if (!fetched)
    return tl::unexpected(fetched.error());
  status_.downloadTime = duration_cast<milliseconds>(Clock::now() - begun);
  return spool;
}

/// The clip's present address. The generation has completed, so this asks once and takes over what comes.
Result<std::string> Generation::freshUrl() {
  Reply pending;
  pending.state = JobState::Generating;
  auto reply = waitForCompletion(std::move(pending), Clock::now());
  if (!reply)
    return tl::unexpected(std::move(reply.error()));
  return std::move(reply->clipUrl);
}

void Generation::enter(State state) {
  if (status_.state == state)
    return;
  status_.state = state;
  lastNote_ = Clock::now();
  callbacks_.stateChanged(status_);
}

void Generation::note(const std::string &text) {
  callbacks_.log(text);
  lastNote_ = Clock::now();
  callbacks_.progressed(status_, text);
}

void Generation::noteProgress() {
  if (Clock::now() - lastNote_ >= noteInterval) {
    lastNote_ = Clock::now();
    callbacks_.progressed(status_, "");
  }
}

void Generation::takeOver(const Reply &reply) {
  status_.usage.update(reply.usage);
  // a clip that is already being fetched does not go back to waiting
  if (status_.state == State::Downloading)
    return;
  if (reply.state == JobState::Queued)
    enter(State::Queued);
  else if (reply.state == JobState::Generating)
    enter(State::Generating);
}

void Generation::setStage(Purchase::Stage stage) {
  purchase_.stage = stage;
  status_.generationId = purchase_.generationId;
  callbacks_.purchased(purchase_);
}

void Generation::keep(std::shared_ptr<Spool> clip) {
  purchase_.clip = std::move(clip);
  callbacks_.purchased(purchase_);
}

Error Generation::notReached(const TransportError &error) const {
  Error result;
  result.kind = ErrorKind::Unreachable;
  result.what = "no connection to " + plan_.baseUrl;
  result.why = error.message;
  result.remedy = error.cause == TransportError::Cause::Tls
                      ? "Check base-url, the system's clock and certificates, or set tls-database"
                      : "Check the network, base-url and proxy";
  result.remedy += "; nothing was bought";
  return result;
}

Error Generation::unknownOutcome(const std::string &why) const {
  Error error;
  error.kind = ErrorKind::UnknownOutcome;
  error.what = "it is not known whether the service accepted the submission, which may have been bought";
  error.why = why;
  error.remedy = "It was not sent again. Look for client_request_id " + status_.clientRequestId +
                 " in the account's logs (GET /v2/logs?period=24h): its inference_id, given as generation-id, fetches "
                 "the clip; without such a row after the usual time of a generation, nothing was bought";
  return error;
}

Error Generation::deadlinePassed(const std::string &cause) const {
  Error error;
  error.kind = ErrorKind::TimedOut;
  error.what = "the generation had not completed after " + std::to_string(settings_.timeout) + " s";
  error.why = cause;
  error.remedy = resumeHint();
  return error;
}

Error Generation::failedGeneration(const Reply &reply) const {
  Error error;
  error.kind = ErrorKind::GenerationFailed;
  error.what = reply.moderated ? "the service refused the contents of the request" : "the generation failed";
  error.serviceMessage = client_->withoutKey(reply.error);
  error.why =
      error.serviceMessage.empty() ? "the service gives no reason (status " + reply.word + ")" : error.serviceMessage;
  error.remedy = reply.moderated ? "Change the prompt or the image; a failed generation is not billed"
                                 : "A failed generation is not billed, so it may be tried again";
  return error;
}

std::string Generation::resumeHint() const {
  return "It is paid for and goes on at the service: generation-id=" + purchase_.generationId +
         " with the same key fetches it";
}

/// Adds what the owner needs to find this generation again.
Failure Generation::finish(Error error) const {
  error.generationId = purchase_.generationId;
  error.clientRequestId = status_.clientRequestId;
  const bool bought = purchase_.stage == Purchase::Stage::Known && error.kind != ErrorKind::GenerationFailed;
  if (bought && error.remedy.find("generation-id=") == std::string::npos)
    error.remedy += (error.remedy.empty() ? "" : ". ") + resumeHint();
  return Failure{std::move(error)};
}

} // namespace aimlvideo
