// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/waiting.h"

#include <algorithm>
#include <vector>

#include "generation/remarks.h"
#include "service/verdict.h"
#include "timing/poll_schedule.h"

namespace aimlvideo {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A completed reply without a clip is asked for again this often.
constexpr unsigned mostWithoutClip = 3;

class Waiting {
public:
  Waiting(const Context &context, ServiceClient &client, Purchase &purchase, UnderWay &underWay)
      : context_(context),
        client_(client),
        purchase_(purchase),
        row_(purchase.row),
        model_(Catalogue::instance().find(row_.model)),
        underWay_(underWay),
        reply_(underWay.reply) {}

  Task<Result<Completion>> carryOut();

private:
  /// What an answer is good for.
  enum class Answer { SaysNothing, IsReply };
  Task<Result<void>> nextReply(Clock::time_point firstPoll);
  Task<bool> sleepUntil(Clock::time_point moment);
  Task<Result<Answer>> poll();
  /// Not inlined: its texts would be in the frame that waits.
  [[gnu::noinline]] void fault();
  void watch(Moment asked);
  Task<Result<Answer>> judge(const HttpResponse &response);
  bool saysItIsUnknown(const HttpResponse &response) const;
  Task<Result<void>> unknown(Error refusal);
  void takeOver();
  std::optional<seconds> disowned() const;
  Task<Completion> completed(Clock::time_point begun);
  Task<Failure> failed();

  const Context &context_;
  ServiceClient &client_;
  Purchase &purchase_;
  LedgerRow &row_;
  const Model *model_;
  UnderWay &underWay_;
  Reply &reply_; ///< in it

  std::optional<milliseconds> took_;

  // what went wrong since the last good answer
  unsigned faultsInRow_ = 0;
  std::vector<Clock::time_point> unknownIds_; ///< when the service said that it does not know the id
  std::string cause_;
};

Task<Result<Completion>> Waiting::carryOut() {
  const auto begun = Clock::now();
  auto next = underWay_.firstPoll;
  if (reply_.state == JobState::Completed)
    underWay_.watch.forget(); // it was not seen to run
  for (unsigned withoutClips = 0;;) {
    takeOver();
    if (reply_.state == JobState::Failed)
      co_return co_await failed();
    if (reply_.state == JobState::Completed && !reply_.clipUrl.empty())
      co_return co_await completed(begun);
    if (reply_.state == JobState::Completed && ++withoutClips > mostWithoutClip)
      co_return completedWithoutClip(purchase_, reply_);
    auto answered = co_await nextReply(next);
    if (!answered)
      co_return std::move(answered).failure();
    const milliseconds pause = pauseBeforePoll(context_, underWay_.retryAfter);
    context_.narrator.log(LogLevel::Info, "poll " + std::to_string(context_.status().polls) + ": " +
                                              nameOf(context_.status().state) + ", the next one in " +
                                              std::to_string(pause.count()) + " ms");
    next = Clock::now() + pause;
  }
}

Task<Completion> Waiting::completed(Clock::time_point begun) {
  row_.clipUrl = reply_.clipUrl;
  row_.cause.clear(); // should the service have lost sight of it for a while
  co_await purchase_.recordAfterwards(LedgerRow::State::Completed, context_.narrator);
  Completion completion{reply_.clipUrl, {}};
  // a fresh link while it is downloaded teaches nothing
  if (context_.status().state != State::Downloading) {
    context_.status().waitTime = duration_cast<milliseconds>(Clock::now() - begun);
    completion.took = took_;
  }
  co_return completion;
}

Task<Failure> Waiting::failed() {
  Error error = failedGeneration(reply_, client_.withoutSecrets(reply_.error));
  row_.usage = context_.status().usage = Usage{0.0, 0.0}; // what it had used is not billed
  row_.cause = error.why;
  const auto state = reply_.moderated ? LedgerRow::State::Moderated : LedgerRow::State::Failed;
  co_await purchase_.recordAfterwards(state, context_.narrator);
  co_return Failure{std::move(error)};
}

/// Asks until there is an answer that says something.
Task<Result<void>> Waiting::nextReply(Clock::time_point firstPoll) {
  faultsInRow_ = 0;
  unknownIds_.clear();
  cause_.clear();
  for (auto next = firstPoll;;) {
    if (!co_await sleepUntil(std::min(next, context_.deadline)))
      co_return stopped();
    if (next >= context_.deadline)
      co_return deadlinePassed(context_.settings, purchase_, cause_, disowned());
    const auto answer = co_await poll();
    context_.narrator.tick();
    if (!answer)
      co_return answer.failure();
    if (*answer == Answer::IsReply)
      co_return {};
    fault();
    next = Clock::now() + context_.patience.polls.pauseBefore(faultsInRow_ + 1, underWay_.retryAfter, context_.random);
  }
}

/// How long the service has to say that it does not know what it has sold before it is believed, where it says so last.
std::optional<seconds> Waiting::disowned() const {
  if (unknownIds_.empty() || !purchase_.isBought())
    return {};
  return duration_cast<seconds>(context_.patience.unknownIdSpan);
}

void Waiting::fault() {
  ++faultsInRow_;
  ++context_.status().retries;
  context_.narrator.log(LogLevel::Warning, "poll " + std::to_string(context_.status().polls) + " failed: " + cause_);
}

/// False: stopped. A long sleep is broken by signs of life.
Task<bool> Waiting::sleepUntil(Clock::time_point moment) {
  for (;;) {
    const Clock::time_point next = std::min<Clock::time_point>(moment, Clock::now() + Narrator::signInterval);
    const bool goesOn = co_await context_.cancellation.sleepUntil(next);
    if (!goesOn || next == moment)
      co_return goesOn;
    context_.narrator.tick();
  }
}

/// One poll, whose reply is taken over; an error where no other poll will help.
Task<Result<Waiting::Answer>> Waiting::poll() {
  const Moment asked = Moment::now();
  const auto response = co_await client_.poll(row_.family, model_, row_.generationId, context_.cancellation,
                                              AttemptTime{context_.deadline, context_.patience.poll});
  ++context_.status().polls;
  underWay_.retryAfter.reset();
  if (!response) {
    if (response.error().cause == TransportError::Cause::Cancelled)
      co_return stopped();
    // the poll that the deadline cuts short says nothing about what went wrong before
    if (cause_.empty() || Clock::now() < context_.deadline) {
      cause_ = response.error().message;
      unknownIds_.clear();
    }
    co_return Answer::SaysNothing;
  }
  underWay_.retryAfter = retryAfterOf(*response);
  if (!response->successful())
    co_return co_await judge(*response);
  auto reply = parseReply(response->body);
  if (!reply) {
    cause_ = client_.withoutSecrets(reply.error());
    unknownIds_.clear();
    co_return Answer::SaysNothing;
  }
  purchase_.confirmed = purchase_.confirmed || !reply->word.empty();
  reply_ = std::move(*reply);
  watch(asked);
  co_return Answer::IsReply;
}

/// Learns what the generation takes.
void Waiting::watch(Moment asked) {
  if (reply_.state == JobState::Queued || reply_.state == JobState::Generating)
    underWay_.watch.pending(asked);
  else if (reply_.state == JobState::Completed && !reply_.clipUrl.empty())
    took_ = underWay_.watch.completed(Moment::now());
}

Task<Result<Waiting::Answer>> Waiting::judge(const HttpResponse &response) {
  Error refusal = refusalFrom(response);
  cause_ = refusal.why;
  if (refusal.kind == ErrorKind::NotAuthorized)
    co_return tl::unexpected(std::move(refusal));
  // a given id does not tell its family
  const bool unknownPlace = response.status == 400 || response.status == 404;
  if (unknownPlace && !context_.settings.generationId.empty() && context_.settings.endpoint == EndpointChoice::Auto)
    row_.family = row_.family == EndpointFamily::Universal ? EndpointFamily::Legacy : EndpointFamily::Universal;
  if (!saysItIsUnknown(response)) {
    unknownIds_.clear();
    co_return Answer::SaysNothing;
  }
  unknownIds_.push_back(Clock::now());
  const auto span = purchase_.isBought() ? context_.patience.unknownIdSpan : milliseconds(0);
  const bool enough = unknownIds_.size() >= context_.patience.unknownIdAnswers;
  if (!enough || unknownIds_.back() - unknownIds_.front() < span)
    co_return Answer::SaysNothing;
  const auto ended = co_await unknown(std::move(refusal));
  co_return ended.failure();
}

/// What is bought is given up by the service's own word alone. An id that was only typed costs nothing to give up: any
/// error of the service will do.
bool Waiting::saysItIsUnknown(const HttpResponse &response) const {
  if (purchase_.isBought())
    return saysGenerationIsUnknown(response.body, response.status, row_.generationId);
  return (response.status == 400 || response.status == 404) && parseReply(response.body);
}

/// Nobody will ever answer for it. With another key than the one that bought it, that says nothing.
Task<Result<void>> Waiting::unknown(Error refusal) {
  const bool bought = purchase_.isBought();
  const bool byItsKey = !purchase_.byOtherKey && !row_.keyFingerprint.empty();
  if (bought && byItsKey) {
    row_.cause = "the service no longer knows it: " + refusal.why;
    co_await purchase_.recordAfterwards(row_.state, context_.narrator);
    co_return tl::unexpected(lostGeneration(context_.settings, purchase_, std::move(refusal)));
  }
  if (!bought && !purchase_.doubted) {
    row_.cause = "the service does not know it: " + refusal.why;
    co_await purchase_.recordAfterwards(LedgerRow::State::NotBought, context_.narrator);
  }
  co_return tl::unexpected(unknownGeneration(purchase_, std::move(refusal)));
}

void Waiting::takeOver() {
  row_.usage.update(reply_.usage);
  context_.status().usage.update(row_.usage);
  // a clip that is already being fetched does not go back to waiting
  if (context_.status().state == State::Downloading)
    return;
  if (reply_.state == JobState::Queued)
    context_.narrator.enter(State::Queued);
  else if (reply_.state == JobState::Generating)
    context_.narrator.enter(State::Generating);
}

} // namespace

Task<Result<Completion>> waitForCompletion(const Context &context, ServiceClient &client, Purchase &purchase,
                                           UnderWay &underWay) {
  Waiting waiting(context, client, purchase, underWay);
  co_return co_await waiting.carryOut();
}

milliseconds pauseBeforePoll(const Context &context, std::optional<seconds> retryAfter) {
  if (context.settings.pollInterval > 0)
    return milliseconds(std::max(context.settings.pollInterval, 100U));
  if (retryAfter)
    return pollPauseAsAsked(*retryAfter, context.seed);
  const Status &status = context.status();
  const auto &forecast = context.narrator.forecast();
  if (status.accepted == Clock::time_point{} || !forecast)
    return pollPause(GenerationTimes::left(), status.elapsed(), context.seed);
  return pollPause(forecast->times(), duration_cast<milliseconds>(Clock::now() - status.accepted), context.seed);
}

} // namespace aimlvideo
