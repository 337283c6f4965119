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
  Waiting(Run &run, Reply &reply)
      : run_(run), reply_(reply), row_(run.purchase.row), model_(Catalogue::instance().find(run.purchase.row.model)) {}

  Task<Result<void>> carryOut(Clock::time_point firstPoll);

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
  Task<Result<void>> completed(Clock::time_point begun);
  Task<Result<void>> failed();

  Run &run_;
  Reply &reply_;
  LedgerRow &row_;
  const Model *model_;

  // what went wrong since the last good answer
  unsigned faultsInRow_ = 0;
  std::vector<Clock::time_point> unknownIds_; ///< when the service said that it does not know the id
  std::string cause_;
};

Task<Result<void>> Waiting::carryOut(Clock::time_point firstPoll) {
  const auto begun = Clock::now();
  auto next = firstPoll;
  if (reply_.state == JobState::Completed)
    run_.watch.forget(); // it was not seen to run
  for (unsigned withoutClips = 0;;) {
    takeOver();
    if (reply_.state == JobState::Failed)
      co_return co_await failed();
    if (reply_.state == JobState::Completed && !reply_.clipUrl.empty())
      co_return co_await completed(begun);
    if (reply_.state == JobState::Completed && ++withoutClips > mostWithoutClip)
      co_return completedWithoutClip(run_, reply_);
    auto answered = co_await nextReply(next);
    if (!answered)
      co_return answered;
    const milliseconds pause = pauseBeforePoll(run_);
    run_.narrator.log(LogLevel::Info, "poll " + std::to_string(run_.status().polls) + ": " +
                                          nameOf(run_.status().state) + ", the next one in " +
                                          std::to_string(pause.count()) + " ms");
    next = Clock::now() + pause;
  }
}

Task<Result<void>> Waiting::completed(Clock::time_point begun) {
  row_.clipUrl = reply_.clipUrl;
  row_.cause.clear(); // should the service have lost sight of it for a while
  co_await run_.recordAfterwards(LedgerRow::State::Completed);
  if (run_.status().state != State::Downloading)
    run_.status().waitTime = duration_cast<milliseconds>(Clock::now() - begun);
  co_return {};
}

Task<Result<void>> Waiting::failed() {
  Error error = failedGeneration(run_, reply_);
  row_.usage = run_.status().usage = Usage{0.0, 0.0}; // what it had used is not billed
  row_.cause = error.why;
  co_await run_.recordAfterwards(reply_.moderated ? LedgerRow::State::Moderated : LedgerRow::State::Failed);
  co_return tl::unexpected(std::move(error));
}

/// Asks until there is an answer that says something.
Task<Result<void>> Waiting::nextReply(Clock::time_point firstPoll) {
  faultsInRow_ = 0;
  unknownIds_.clear();
  cause_.clear();
  for (auto next = firstPoll;;) {
    if (!co_await sleepUntil(std::min(next, run_.deadline)))
      co_return stopped();
    if (next >= run_.deadline)
      co_return deadlinePassed(run_, cause_, run_.purchase.isBought() && !unknownIds_.empty());
    const auto answer = co_await poll();
    run_.narrator.tick();
    if (!answer)
      co_return answer.failure();
    if (*answer == Answer::IsReply)
      co_return {};
    fault();
    next = Clock::now() + run_.patience.polls.pauseBefore(faultsInRow_ + 1, run_.retryAfter, run_.random);
  }
}

void Waiting::fault() {
  ++faultsInRow_;
  ++run_.status().retries;
  run_.narrator.log(LogLevel::Warning, "poll " + std::to_string(run_.status().polls) + " failed: " + cause_);
}

/// False: stopped. A long sleep is broken by signs of life.
Task<bool> Waiting::sleepUntil(Clock::time_point moment) {
  for (;;) {
    const Clock::time_point next = std::min<Clock::time_point>(moment, Clock::now() + Narrator::signInterval);
    const bool goesOn = co_await run_.cancellation.sleepUntil(next);
    if (!goesOn || next == moment)
      co_return goesOn;
    run_.narrator.tick();
  }
}

/// One poll, whose reply is taken over; an error where no other poll will help.
Task<Result<Waiting::Answer>> Waiting::poll() {
  const Moment asked = Moment::now();
  const auto response = co_await run_.client->poll(row_.family, model_, row_.generationId, run_.cancellation,
                                                   AttemptTime{run_.deadline, run_.patience.poll});
  ++run_.status().polls;
  run_.retryAfter.reset();
  if (!response) {
    if (response.error().cause == TransportError::Cause::Cancelled)
      co_return stopped();
    // the poll that the deadline cuts short says nothing about what went wrong before
    if (cause_.empty() || Clock::now() < run_.deadline) {
      cause_ = response.error().message;
      unknownIds_.clear();
    }
    co_return Answer::SaysNothing;
  }
  run_.retryAfter = retryAfterOf(*response);
  if (!response->successful())
    co_return co_await judge(*response);
  auto reply = parseReply(response->body);
  if (!reply) {
    cause_ = run_.client->withoutSecrets(reply.error());
    unknownIds_.clear();
    co_return Answer::SaysNothing;
  }
  run_.purchase.confirmed = run_.purchase.confirmed || !reply->word.empty();
  reply_ = std::move(*reply);
  watch(asked);
  co_return Answer::IsReply;
}

/// Learns what the generation takes.
void Waiting::watch(Moment asked) {
  if (reply_.state == JobState::Queued || reply_.state == JobState::Generating)
    run_.watch.pending(asked);
  else if (reply_.state == JobState::Completed && !reply_.clipUrl.empty() && run_.status().state != State::Downloading)
    run_.took = run_.watch.completed(Moment::now());
}

Task<Result<Waiting::Answer>> Waiting::judge(const HttpResponse &response) {
  Error refusal = refusalFrom(response);
  cause_ = refusal.why;
  if (refusal.kind == ErrorKind::NotAuthorized)
    co_return tl::unexpected(std::move(refusal));
  // a given id does not tell its family
  const bool unknownPlace = response.status == 400 || response.status == 404;
  if (unknownPlace && !run_.settings.generationId.empty() && run_.settings.endpoint == EndpointChoice::Auto)
    row_.family = row_.family == EndpointFamily::Universal ? EndpointFamily::Legacy : EndpointFamily::Universal;
  if (!saysItIsUnknown(response)) {
    unknownIds_.clear();
    co_return Answer::SaysNothing;
  }
  unknownIds_.push_back(Clock::now());
  const auto span = run_.purchase.isBought() ? run_.patience.unknownIdSpan : milliseconds(0);
  const bool enough = unknownIds_.size() >= run_.patience.unknownIdAnswers;
  if (!enough || unknownIds_.back() - unknownIds_.front() < span)
    co_return Answer::SaysNothing;
  const auto ended = co_await unknown(std::move(refusal));
  co_return ended.failure();
}

/// What is bought is given up by the service's own word alone. An id that was only typed costs nothing to give up: any
/// error of the service will do.
bool Waiting::saysItIsUnknown(const HttpResponse &response) const {
  if (run_.purchase.isBought())
    return saysGenerationIsUnknown(response.body, response.status, row_.generationId);
  return (response.status == 400 || response.status == 404) && parseReply(response.body);
}

/// Nobody will ever answer for it. With another key than the one that bought it, that says nothing.
Task<Result<void>> Waiting::unknown(Error refusal) {
  const bool bought = run_.purchase.isBought();
  const bool byItsKey = !run_.purchase.byOtherKey && !row_.keyFingerprint.empty();
  if (bought && byItsKey) {
    row_.cause = "the service no longer knows it: " + refusal.why;
    co_await run_.recordAfterwards(row_.state);
    co_return tl::unexpected(lostGeneration(run_, std::move(refusal)));
  }
  if (!bought && !run_.purchase.doubted) {
    row_.cause = "the service does not know it: " + refusal.why;
    co_await run_.recordAfterwards(LedgerRow::State::NotBought);
  }
  co_return tl::unexpected(unknownGeneration(run_, std::move(refusal)));
}

void Waiting::takeOver() {
  row_.usage.update(reply_.usage);
  run_.status().usage.update(row_.usage);
  // a clip that is already being fetched does not go back to waiting
  if (run_.status().state == State::Downloading)
    return;
  if (reply_.state == JobState::Queued)
    run_.narrator.enter(State::Queued);
  else if (reply_.state == JobState::Generating)
    run_.narrator.enter(State::Generating);
}

} // namespace

Task<Result<void>> waitForCompletion(Run &run, Reply &reply, Clock::time_point firstPoll) {
  Waiting waiting(run, reply);
  co_return co_await waiting.carryOut(firstPoll);
}

milliseconds pauseBeforePoll(Run &run) {
  if (run.settings.pollInterval > 0)
    return milliseconds(std::max(run.settings.pollInterval, 100U));
  if (run.retryAfter)
    return pollPauseAsAsked(*run.retryAfter, run.seed);
  const Clock::time_point accepted = run.status().accepted;
  if (accepted == Clock::time_point{} || !run.narrator.forecast())
    return pollPause(GenerationTimes::left(), run.status().elapsed(), run.seed);
  return pollPause(run.narrator.forecast()->times(), duration_cast<milliseconds>(Clock::now() - accepted), run.seed);
}

} // namespace aimlvideo
