// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/generation.h"

#include <cassert>
#include <exception>
#include <utility>

#include "base/folders.h"
#include "base/on_worker.h"
#include "base/sha256.h"
#include "clip/downloader.h"
#include "generation/claim.h"
#include "generation/descriptors.h"
#include "generation/expectation.h"
#include "generation/lookup.h"
#include "generation/price_check.h"
#include "generation/remarks.h"
#include "generation/stored_clip.h"
#include "generation/submission.h"
#include "generation/waiting.h"
#include "settings/service_address.h"

namespace aimlvideo {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

SessionOptions optionsFor(const Run &run) {
  SessionOptions options = sessionOptionsOf(run.settings);
  options.idleTimeout = run.patience.idleConnection;
  return options;
}

/// The clip's name in the store: of this request, and of this of its purchases.
std::string clipName(const LedgerRow &row) {
  const std::string request = row.identity.empty() ? "given" : row.identity;
  return request + "-" + sha256(row.baseUrl + "\n" + row.generationId).substr(0, 16) + ".mp4";
}

} // namespace

Generation::Generation(Settings settings, int64_t ownRow, Cancellation &cancellation, const Callbacks &callbacks,
                       const Patience &patience)
    : run_(std::move(settings), patience, cancellation, callbacks), ownRow_(ownRow), arriving_(callbacks.arriving) {
  // who is stopped from now on, and started again, has to know what may have been bought
  run_.purchase.recorded = callbacks.claimed;
}

Task<Result<std::shared_ptr<Spool>>> Generation::run() {
  assert(Loop::instance().isCurrent());
  run_.status().started = Clock::now();
  run_.deadline = run_.status().started + seconds(run_.settings.timeout);
  Result<Step> next = Step::Check;
  try {
    while (next && *next != Step::End)
      next = co_await take(*next);
  } catch (const std::exception &exception) {
    next = failure(ErrorKind::BadAnswer, "the generation can't continue", exception.what(), "");
  }
  if (!next)
    next = finish(std::move(next.error()));
  run_.flight.reset();
  run_.descriptor.reset();
  run_.purchase.release();
  if (next) {
    run_.narrator.enter(State::Completed);
    co_return std::move(clip_);
  }
  run_.narrator.enter(next.error().kind == ErrorKind::Cancelled ? State::Cancelled : State::Failed);
  co_return std::move(next).failure();
}

Task<Result<Generation::Step>> Generation::take(Step step) {
  assert(Loop::instance().isCurrent());
  switch (step) {
  case Step::Check:
    return check();
  case Step::Claim:
    return goOn();
  case Step::Buy:
    return buy();
  case Step::LookUp:
    return settle();
  case Step::Await:
    return await();
  case Step::Fetch:
  case Step::End:
    break;
  }
  return fetch();
}

Task<Result<Generation::Step>> Generation::check() {
  auto descriptor = ReservedDescriptor::take();
  if (!descriptor)
    co_return std::move(descriptor).failure();
  run_.descriptor = std::move(*descriptor);
  std::function<Result<Plan>()> preparation = [settings = run_.settings] {
    return prepare(settings);
  };
  auto plan =
      co_await onWorker(Loop::instance().own<ImageWorkers>(), std::move(preparation), run_.cancellation, run_.deadline);
  if (run_.cancellation.cancelled())
    co_return stopped();
  if (!plan)
    co_return notInTime("the request can't be composed", "its image or another of its files can't be read",
                        "Check the disk that they are on");
  if (!*plan)
    co_return std::move(*plan).failure();
  run_.plan = std::move(**plan);
  const Request &request = run_.plan.request;
  run_.status().model = request.model;
  run_.status().prompt = request.prompt;

  run_.session = HttpSession::shared(optionsFor(run_));
  run_.client = std::make_unique<ServiceClient>(*run_.session, run_.plan, run_.settings.extraHeaders);
  if (auto store = co_await onPool([] { return ClipStore::open(clipFolder()); }))
    run_.store = std::move(*store);

  for (const std::string &warning : request.warnings)
    run_.narrator.warn(warning);
  for (const std::string &text : request.notes)
    run_.narrator.note(text);
  if (!run_.settings.dryRun)
    co_return Step::Claim;
  if (const auto reported = co_await reportDryRun(run_); !reported)
    co_return reported.failure();
  co_return Step::End;
}

namespace {

/// The claim's decision, for the log.
std::string toldOf(const Claim &claim, const LedgerRow &row) {
  const std::string which = "row " + std::to_string(row.id) + " of the ledger";
  switch (claim.way) {
  case Claim::Way::Buy:
    return "nothing was bought for this request: " + which + " is used for it now";
  case Claim::Way::LookUp:
    return which + " was sent with an unknown outcome: looking it up";
  case Claim::Way::Await:
    return which + " is bought: waiting for generation " + row.generationId;
  case Claim::Way::Replay:
    return which + " is bought and its clip is kept: replaying it";
  }
  return which;
}

} // namespace

Task<Result<Generation::Step>> Generation::goOn() {
  auto claimed = co_await claim(run_, ownRow_);
  if (!claimed)
    co_return std::move(claimed).failure();
  Status &status = run_.status();
  run_.purchase.recorded(run_.purchase.row.id);
  status.usage.update(run_.purchase.row.usage);
  if (!run_.narrator.forecast() && claimed->way != Claim::Way::Buy) // which looks by itself
    co_await expect(run_, run_.purchase.row);
  run_.narrator.log(LogLevel::Info, toldOf(*claimed, run_.purchase.row));
  const bool atWork = claimed->way == Claim::Way::LookUp || claimed->way == Claim::Way::Await;
  if (atWork && !run_.purchase.wasCompleted)
    run_.flight = Flight::underWay(serviceAt(run_.plan.baseUrl));
  switch (claimed->way) {
  case Claim::Way::Buy:
    break;
  case Claim::Way::LookUp:
    doubt_ = std::make_unique<Error>();
    doubt_->why = "an earlier run ended before the service had answered";
    co_return Step::LookUp;
  case Claim::Way::Await:
    status.origin = claimed->joined ? Origin::Joined : Origin::Resumed;
    goOnWaiting(run_, run_.purchase.row);
    co_return awaitUnseen();
  case Claim::Way::Replay:
    status.origin = claimed->joined ? Origin::Joined : Origin::Replayed;
    clip_ = std::move(claimed->clip);
    arriving_(status, clip_);
    co_return Step::End;
  }
  co_return Step::Buy;
}

/// Asks the application whether it would take the clip.
Task<Result<void>> Generation::askRecipient() {
  auto recipient = run_.settings.recipient;
  if (!recipient)
    co_return {};
  const auto wanted =
      co_await onWorker(Loop::instance().own<CallWorkers>(), std::move(recipient), run_.cancellation, run_.deadline);
  if (run_.cancellation.cancelled())
    co_return stopped();
  if (!wanted)
    co_return notInTime("it is not known whether the clip would be accepted",
                        "the application, or what is linked to the source, does not respond",
                        "Find out what blocks there");
  co_return *wanted;
}

Result<void> Generation::mayBuy() const {
  if (run_.settings.fetchesOnly())
    return failure(ErrorKind::NotFound, "there is no clip to fetch", "the ledger says that nothing was bought",
                   "Run the request again to buy it");
  if (!run_.plan.allowance.mayBuy)
    return tl::unexpected(notForUri(run_));
  return {};
}

Task<Result<Generation::Step>> Generation::buy() {
  if (const auto may = mayBuy(); !may)
    co_return may.failure();
  if (const auto wanted = co_await askRecipient(); !wanted)
    co_return wanted.failure();
  if (const auto allowed = co_await checkPrice(run_); !allowed)
    co_return allowed.failure();
  if (const auto turn = co_await takeTurn(); !turn)
    co_return turn.failure();
  // of what another run bought, if it did; from now on it is this run's own
  run_.status().origin = Origin::None;
  run_.status().usage = {};
  co_await expect(run_, run_.purchase.row);
  doubt_ = std::make_unique<Error>();
  submitted_ = true;
  const auto submitted = co_await submit(run_, reply_, *doubt_);
  run_.status().generationId = run_.purchase.row.generationId;
  if (!submitted)
    co_return submitted.failure();
  if (*submitted == Submitted::Unknown)
    co_return Step::LookUp;
  co_return awaitFrom(Clock::now() + pauseBeforePoll(run_));
}

/// Waits until there is room in flight. The price may have changed when that took its time, and `timeout` is for what
/// comes after it.
Task<Result<void>> Generation::takeTurn() {
  if (run_.flight && run_.flight->maySubmit())
    co_return {}; // what it submitted before was not accepted
  run_.flight.reset();
  const auto begun = Clock::now();
  bool waited = false;
  const auto queued = [&](const Flight::Queue &queue) {
    waited = true;
    run_.narrator.enter(State::QueuedLocally);
    run_.narrator.note("waiting for its turn: " + std::to_string(queue.inFlight) + " in flight and " +
                       std::to_string(queue.before) + " ahead of it, max-in-flight is " +
                       std::to_string(run_.settings.maximumInFlight));
  };
  run_.flight =
      co_await Flight::await(serviceAt(run_.plan.baseUrl), run_.settings.maximumInFlight, run_.cancellation, queued);
  if (!run_.flight)
    co_return stopped();
  if (!waited)
    co_return {};
  run_.status().queueTime += duration_cast<milliseconds>(Clock::now() - begun);
  run_.deadline = Clock::now() + seconds(run_.settings.timeout);
  co_return co_await checkPrice(run_);
}

Task<Result<Generation::Step>> Generation::settle() {
  if (run_.cancellation.cancelled())
    co_return stopped();
  Error &why = *doubt_;
  const auto finding = co_await lookUp(run_, why);
  if (!finding)
    co_return finding.failure();
  switch (*finding) {
  case Finding::Bought:
    run_.status().origin = Origin::LookedUp;
    run_.status().generationId = run_.purchase.row.generationId;
    co_return awaitUnseen();
  case Finding::NotBought:
    co_return Step::Buy;
  case Finding::Unknown:
    break;
  }
  // another key's log does not list it, whatever became of it
  const bool lookedUp = !run_.purchase.byOtherKey;
  if (lookedUp && run_.settings.onUnknown == OnUnknown::Resubmit && !std::exchange(resubmitted_, true)) {
    if (!run_.plan.allowance.mayBuy)
      co_return tl::unexpected(notForUri(run_)); // the row stays one of unknown outcome
    ++run_.mayHaveBought;                        // and the next one may be bought as well
    run_.deadline = Clock::now() + seconds(run_.settings.timeout);
    if (const auto allowed = co_await checkPrice(run_); !allowed) {
      why.why += (why.why.empty() ? "" : "; ") + allowed.error().text();
      co_return tl::unexpected(stillUnknown(why));
    }
    run_.purchase.row.cause = "submitted again without knowing the outcome, as on-unknown=resubmit asks";
    co_await run_.recordAfterwards(LedgerRow::State::NotBought);
    run_.narrator.note("the outcome stays unknown, submitting again as on-unknown=resubmit asks");
    co_return Step::Buy;
  }
  co_return tl::unexpected(stillUnknown(why));
}

Error Generation::stillUnknown(const Error &why) const {
  Error error = unknownOutcome(run_, why.why);
  error.httpStatus = why.httpStatus;
  error.serviceMessage = why.serviceMessage;
  error.requestId = why.requestId;
  return error;
}

/// It is bought, and `reply_` is what the service has said of it.
Generation::Step Generation::awaitFrom(Clock::time_point firstPoll) {
  doubt_.reset();
  firstPoll_ = firstPoll;
  return Step::Await;
}

/// It was bought earlier, and is asked for at once.
Generation::Step Generation::awaitUnseen() {
  reply_ = {};
  reply_.state = JobState::Queued;
  return awaitFrom(Clock::now());
}

Task<Result<Generation::Step>> Generation::await() {
  auto completed = co_await waitForCompletion(run_, reply_, firstPoll_);
  run_.flight.reset();
  if (!completed)
    co_return replace(std::move(completed.error()));
  co_return Step::Fetch;
}

/// What a failure of what is bought leads to: to the end, but where it is lost and another one may be bought.
Result<Generation::Step> Generation::replace(Error lost) {
  if (!mayReplace(lost))
    return tl::unexpected(std::move(lost));
  run_.narrator.warn(lost.what + "; another one is bought, as on-lost=buy asks");
  run_.purchase.renew();
  run_.status().usage = {}; // of the lost one
  run_.deadline = Clock::now() + seconds(run_.settings.timeout);
  return Step::Buy;
}

/// Whether another generation may be bought for one that is lost. Once a run: what this run has bought itself is not
/// replaced, and nothing of the lost clip may have been played, nor may it be there still.
bool Generation::mayReplace(const Error &error) const {
  return error.kind == ErrorKind::Lost && run_.settings.onLost == OnLost::Buy && !run_.settings.fetchesOnly() &&
         run_.plan.allowance.mayBuy && !submitted_ && !arrived_ && run_.purchase.keptClip.empty();
}

Task<Result<Generation::Step>> Generation::fetch() {
  auto clip = co_await download(reply_.clipUrl);
  co_await learn(run_); // not before, since the clip should not wait for the ledger
  if (!clip)
    co_return replace(std::move(clip.error()));
  clip_ = std::move(*clip);
  if (!partly_)
    co_await keep(*clip_);
  co_return Step::End;
}

/// In the store's own folder, where the clip becomes an entry without a copy, or in the temporary one.
Task<Result<std::shared_ptr<SpoolFile>>> Generation::makeSpool() {
  if (run_.store) {
    auto spool = co_await onPool([this] { return SpoolFile::create(run_.store->folder()); });
    if (spool)
      co_return spool;
    leaveStore(spool.error());
  }
  co_return co_await onPool([this] { return SpoolFile::create(run_.settings.temporaryFolder); });
}

/// The store's disk is full, perhaps in the middle of a clip that somebody reads already.
Task<Result<void>> Generation::moveFromStore(SpoolFile &spool, const Error &why) {
  if (!run_.store)
    co_return tl::unexpected(why);
  leaveStore(why);
  co_return co_await onPool([&] { return spool.moveTo(run_.settings.temporaryFolder); });
}

void Generation::leaveStore(const Error &why) {
  run_.narrator.note("the clip will not be kept: " + why.why + " in " + run_.store->folder());
  run_.store.reset();
}

Task<Result<std::shared_ptr<Spool>>> Generation::download(const std::string &url) {
  run_.narrator.enter(State::Downloading);
  if (const auto room = co_await roomToFetch(run_); !room)
    co_return room.failure();
  const auto begun = Clock::now();
  auto spool = co_await makeSpool();
  if (!spool)
    co_return std::move(spool).failure();
  run_.descriptor.reset();
  Downloader::Limits limits;
  limits.maximumSize = run_.settings.maximumClipSize;
  limits.reach = co_await reach();
  limits.deadline = run_.deadline;
  limits.retries = run_.patience.downloads;
  limits.idle = seconds(run_.patience.idleConnection);
  limits.incomplete = run_.settings.incomplete;
  Downloader::Callbacks callbacks;
  callbacks.freshUrl = [this] {
    return freshUrl();
  };
  callbacks.arriving = [this, &spool] {
    arrived_ = true;
    arriving_(run_.status(), *spool);
  };
  callbacks.progressed = [this](uint64_t received, std::optional<uint64_t> total) {
    run_.narrator.bytes(received, total);
  };
  callbacks.retrying = [this](const std::string &why) {
    ++run_.status().retries;
    run_.narrator.note("downloading again: " + why);
  };
  callbacks.diskFull = [this, &spool](const Error &why) {
    return moveFromStore(**spool, why);
  };
  const auto session = HttpSession::shared(optionsFor(run_), HttpSession::Use::Clips);
  Downloader downloader(*session, run_.cancellation, limits, std::move(callbacks));
  auto fetched = co_await downloader.fetch(url, **spool);
  if (!fetched && downloader.hostHasPartOnly() && run_.purchase.row.id != 0)
    fetched.error().remedy += ", or take what there is with 'aimlvideo jobs resume " +
                              std::to_string(run_.purchase.row.id) + " FILE --incomplete'";
  if (!fetched)
    co_return std::move(fetched).failure();
  partly_ = !downloader.incomplete().empty();
  if (partly_)
    run_.narrator.note("the clip is incomplete, delivering what there is: " + downloader.incomplete());
  run_.status().downloadTime = duration_cast<milliseconds>(Clock::now() - begun);
  co_return spool;
}

Task<ClipReach> Generation::reach() {
  if (run_.plan.loopback && normalizedBaseUrl(run_.plan.baseUrl).starts_with("http:"))
    co_return ClipReach::ThisMachine;
  const Cancellation::Attempt attempt(run_.cancellation, run_.deadline);
  const bool local = co_await run_.client->isLocal(attempt.cancellable());
  co_return local ? ClipReach::Local : ClipReach::Public;
}

/// The clip's present address. The generation has completed, so this asks once and takes over what comes.
Task<Result<std::string>> Generation::freshUrl() {
  Reply reply;
  const auto completed = co_await waitForCompletion(run_, reply, Clock::now());
  if (!completed)
    co_return completed.failure();
  co_return std::move(reply.clipUrl);
}

/// Puts the clip into the store for the next time. Where that is not possible it is still played.
Task<void> Generation::keep(const Spool &clip) {
  LedgerRow &row = run_.purchase.row;
  if (!run_.store) {
    run_.narrator.log(LogLevel::Warning, "there is no store for clips, it is not kept");
    co_return;
  }
  const std::string name = clipName(row);
  const auto proof = co_await onPool([&]() -> Result<std::string> {
    if (auto kept = run_.store->keep(clip, name, ClipStore::Limits::fromEnvironment()); !kept)
      return tl::unexpected(std::move(kept.error()));
    const auto stored = run_.store->find(name, clip.size().value_or(0));
    return stored ? proofOf(*stored) : "";
  });
  if (!proof) {
    run_.narrator.note(proof.error().text());
    co_return;
  }
  row.clip = name;
  row.clipSize = static_cast<int64_t>(clip.size().value_or(0));
  row.clipChecksum.clear();
  row.clipProof = *proof;
  co_await run_.recordAfterwards(LedgerRow::State::Completed);
}

Task<void> Generation::finishUp() {
  assert(Loop::instance().isCurrent());
  LedgerRow &row = run_.purchase.row;
  if (!run_.purchase.ledger || !run_.store || row.clip.empty() || !row.clipChecksum.empty())
    co_return;
  co_await onPool([&] {
    // somebody else may have played it already
    if (const auto present = run_.purchase.ledger->row(row.id); present && *present)
      row.clipProof = (*present)->clipProof;
    (void)storedClip(*run_.store, *run_.purchase.ledger, row, StoredClip::Care::Whole, run_.cancellation);
  });
}

Failure Generation::notInTime(const std::string &what, const std::string &why, const std::string &remedy) const {
  return failure(ErrorKind::TimedOut, what + ", so nothing was bought",
                 why + " within " + std::to_string(run_.settings.timeout) + " s", remedy);
}

/// Adds what the owner needs to find this generation again.
Failure Generation::finish(Error error) const {
  const LedgerRow &row = run_.purchase.row;
  error.generationId = row.generationId;
  error.clientRequestId = row.clientRequestId;
  if (error.requestId.empty())
    error.requestId = row.requestId;
  if (error.kind != ErrorKind::Lost && run_.purchase.isBought() &&
      error.remedy.find("generation-id=") == std::string::npos)
    error.remedy += (error.remedy.empty() ? "" : ". ") + resumeHint(run_);
  return Failure{std::move(error)};
}

} // namespace aimlvideo
