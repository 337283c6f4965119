// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/generation.h"

#include "config.h"

#include <algorithm>
#include <cassert>
#include <exception>
#include <utility>

#include <aimlvideo/mark.h>

#include "base/folders.h"
#include "base/glib_ptr.h"
#include "base/on_worker.h"
#include "generation/claim.h"
#include "generation/clip_fetch.h"
#include "generation/expectation.h"
#include "generation/lookup.h"
#include "generation/price_check.h"
#include "generation/remarks.h"
#include "generation/stored_clip.h"
#include "settings/service_address.h"

namespace aimlvideo {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

Generation::Generation(Settings settings, int64_t ownRow, Cancellation &cancellation, const Callbacks &callbacks,
                       const Patience &patience)
    : settings_(std::move(settings)),
      ownRow_(ownRow),
      arriving_(callbacks.arriving),
      narrator_(callbacks),
      context_{settings_, patience, cancellation, narrator_, random_, static_cast<uint32_t>(random_()), {}} {
  // who is stopped from now on, and started again, has to know what may have been bought
  purchase_.recorded = callbacks.claimed;
  purchase_.makeMark = [this](const LedgerRow &row) {
    return makeMark(row);
  };
}

Task<Result<std::shared_ptr<Spool>>> Generation::run() {
  assert(Loop::instance().isCurrent());
  narrator_.status.started = Clock::now();
  context_.deadline = narrator_.status.started + seconds(settings_.timeout);
  Result<Step> next = Step::Check;
  try {
    while (next && *next != Step::End)
      next = co_await take(*next);
  } catch (const std::exception &exception) {
    next = failure(ErrorKind::BadAnswer, "the generation can't continue", exception.what(), "");
  }
  if (!next)
    next = finish(std::move(next.error()));
  flight_.reset();
  descriptor_.reset();
  purchase_.release();
  if (next) {
    narrator_.enter(State::Completed);
    co_return std::move(clip_);
  }
  narrator_.enter(next.error().kind == ErrorKind::Cancelled ? State::Cancelled : State::Failed);
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
  descriptor_ = std::move(*descriptor);
  std::function<Result<Plan>()> preparation = [settings = settings_] {
    return prepare(settings);
  };
  auto plan = co_await onWorker(Loop::instance().own<ImageWorkers>(), std::move(preparation), context_.cancellation,
                                context_.deadline);
  if (context_.cancellation.cancelled())
    co_return stopped();
  if (!plan)
    co_return notInTime("the request can't be composed", "its image or another of its files can't be read",
                        "Check the disk that they are on");
  if (!*plan)
    co_return std::move(*plan).failure();
  plan_ = std::move(**plan);
  const Request &request = plan_.request;
  narrator_.status.model = request.model;
  narrator_.status.prompt = request.prompt;
  withMedia_ = request.withMedia;

  session_ = HttpSession::shared(sessionOptionsFor(context_));
  client_ = std::make_unique<ServiceClient>(*session_, plan_, settings_.extraHeaders);
  if (auto store = co_await onPool([] { return ClipStore::open(clipFolder()); }))
    store_ = std::move(*store);

  for (const std::string &warning : request.warnings)
    narrator_.warn(warning);
  for (const std::string &text : request.notes)
    narrator_.note(text);
  if (!settings_.dryRun)
    co_return Step::Claim;
  if (const auto reported = co_await reportDryRun(context_, plan_, *session_); !reported)
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
  const ClipStore *store = store_ ? &*store_ : nullptr;
  auto claimed = co_await claim(context_, plan_, *session_, store, purchase_, ownRow_);
  if (!claimed)
    co_return std::move(claimed).failure();
  Status &status = narrator_.status;
  purchase_.recorded(purchase_.row.id);
  status.usage.update(purchase_.row.usage);
  kind_ = kindOf(settings_, plan_, purchase_.row);
  if (!narrator_.forecast() && claimed->way != Claim::Way::Buy) // which looks by itself
    co_await expect(narrator_, purchase_.ledger, plan_.baseUrl, kind_);
  narrator_.log(LogLevel::Info, toldOf(*claimed, purchase_.row));
  const bool atWork = claimed->way == Claim::Way::LookUp || claimed->way == Claim::Way::Await;
  if (atWork && !purchase_.wasCompleted)
    flight_ = Flight::underWay(serviceAt(plan_.baseUrl));
  switch (claimed->way) {
  case Claim::Way::Buy:
    break;
  case Claim::Way::LookUp:
    doubt_ = std::make_unique<Error>();
    doubt_->why = "an earlier run ended before the service had answered";
    co_return Step::LookUp;
  case Claim::Way::Await:
    status.origin = claimed->joined ? Origin::Joined : Origin::Resumed;
    underWay_ = UnderWay{.watch = watchOf(purchase_.row, status)};
    co_return Step::Await;
  case Claim::Way::Replay:
    status.origin = claimed->joined ? Origin::Joined : Origin::Replayed;
    if (purchase_.mark.empty()) // by an earlier version
      co_await purchase_.recordAfterwards(LedgerRow::State::Completed, narrator_);
    deliver(std::move(claimed->clip));
    sayIfUnmarked();
    co_return Step::End;
  }
  co_return Step::Buy;
}

/// Asks the application whether it would take the clip.
Task<Result<void>> Generation::askRecipient() {
  auto recipient = settings_.recipient;
  if (!recipient)
    co_return {};
  const auto wanted = co_await onWorker(Loop::instance().own<CallWorkers>(), std::move(recipient),
                                        context_.cancellation, context_.deadline);
  if (context_.cancellation.cancelled())
    co_return stopped();
  if (!wanted)
    co_return notInTime("it is not known whether the clip would be accepted",
                        "the application, or what is linked to the source, does not respond",
                        "Find out what blocks there");
  co_return *wanted;
}

Result<void> Generation::mayBuy() const {
  if (settings_.fetchesOnly())
    return failure(ErrorKind::NotFound, "there is no clip to fetch", "the ledger says that nothing was bought",
                   "Run the request again to buy it");
  if (!plan_.allowance.mayBuy)
    return tl::unexpected(notForUri(settings_));
  return {};
}

Task<Result<Generation::Step>> Generation::buy() {
  if (const auto may = mayBuy(); !may)
    co_return may.failure();
  session_->foresee(plan_.baseUrl);
  if (const auto wanted = co_await askRecipient(); !wanted)
    co_return wanted.failure();
  if (const auto agreed = co_await agreeOnPrice(); !agreed)
    co_return agreed.failure();
  if (const auto turn = co_await takeTurn(); !turn)
    co_return turn.failure();
  // of what another run bought, if it did; from now on it is this run's own
  narrator_.status.origin = Origin::None;
  narrator_.status.usage = {};
  kind_ = kindOf(plan_.request);
  co_await expect(narrator_, purchase_.ledger, plan_.baseUrl, kind_);
  submitted_ = true;
  auto submitted = co_await submit(context_, plan_, *session_, *client_, purchase_, kind_);
  narrator_.status.generationId = purchase_.row.generationId;
  if (!submitted)
    co_return std::move(submitted).failure();
  if (auto *doubt = std::get_if<Error>(&*submitted)) {
    doubt_ = std::make_unique<Error>(std::move(*doubt));
    co_return Step::LookUp;
  }
  plan_.request = {}; // a run buys one; the body may hold megabytes of image
  underWay_ = std::move(std::get<UnderWay>(*submitted));
  underWay_.firstPoll = Clock::now() + pauseBeforePoll(context_, underWay_.retryAfter);
  co_return Step::Await;
}

/// The price is asked for where something depends on it: a cap, or a limit on spending, which has to have room now. The
/// limit is looked at once more when the ledger is told that the request is about to leave.
Task<Result<void>> Generation::agreeOnPrice() {
  const auto limited = co_await onPool([this]() -> Result<bool> {
    const auto limits = purchase_.ledger->limits();
    if (!limits)
      return limits.failure();
    return std::ranges::any_of(*limits,
                               [this](const SpendingLimit &limit) { return limit.concerns(plan_.request.model); });
  });
  if (!limited)
    co_return limited.failure();
  const auto price = co_await checkPrice(context_, plan_, *session_, mayHaveBought_, *limited);
  if (!price)
    co_return price.failure();
  purchase_.price = *price;
  if (!*limited)
    co_return {};
  co_return co_await onPool([this] {
    const int64_t now = g_get_real_time() / 1000;
    return purchase_.ledger->lookForRoom(plan_.baseUrl, plan_.request.model, *purchase_.price, now);
  });
}

/// Waits until there is room in flight. The price may have changed when that took its time, and `timeout` is for what
/// comes after it.
Task<Result<void>> Generation::takeTurn() {
  if (flight_ && flight_->maySubmit())
    co_return {}; // what it submitted before was not accepted
  flight_.reset();
  const auto begun = Clock::now();
  bool waited = false;
  const auto queued = [&](const Flight::Queue &queue) {
    waited = true;
    narrator_.enter(State::QueuedLocally);
    narrator_.note("waiting for its turn: " + std::to_string(queue.inFlight) + " in flight and " +
                   std::to_string(queue.before) + " ahead of it, max-in-flight is " +
                   std::to_string(settings_.maximumInFlight));
  };
  flight_ = co_await Flight::await(serviceAt(plan_.baseUrl), settings_.maximumInFlight, context_.cancellation, queued);
  if (!flight_)
    co_return stopped();
  if (!waited)
    co_return {};
  narrator_.status.queueTime += duration_cast<milliseconds>(Clock::now() - begun);
  context_.deadline = Clock::now() + seconds(settings_.timeout);
  co_return co_await agreeOnPrice();
}

Task<Result<Generation::Step>> Generation::settle() {
  if (context_.cancellation.cancelled())
    co_return stopped();
  const auto finding = co_await lookUp(context_, *client_, purchase_);
  if (!finding)
    co_return finding.failure();
  switch (finding->outcome) {
  case Finding::Outcome::Bought:
    narrator_.status.origin = Origin::LookedUp;
    narrator_.status.generationId = purchase_.row.generationId;
    doubt_.reset();
    underWay_ = {};
    co_return Step::Await;
  case Finding::Outcome::NotBought:
    co_return Step::Buy;
  case Finding::Outcome::Unknown:
    break;
  }
  addToDoubt(finding->why);
  // another key's log does not list it, whatever became of it
  const bool lookedUp = !purchase_.byOtherKey;
  if (lookedUp && settings_.onUnknown == OnUnknown::Resubmit && !std::exchange(resubmitted_, true)) {
    if (!plan_.allowance.mayBuy)
      co_return tl::unexpected(notForUri(settings_)); // the row stays one of unknown outcome
    ++mayHaveBought_;                                 // and the next one may be bought as well
    context_.deadline = Clock::now() + seconds(settings_.timeout);
    if (const auto agreed = co_await agreeOnPrice(); !agreed) {
      addToDoubt(agreed.error().text());
      co_return tl::unexpected(unknownOutcome(purchase_, *doubt_));
    }
    // it may have been bought all the same
    if (auto kept = co_await onPool([this] { return purchase_.ledger->countApart(purchase_.row.id); }); !kept)
      co_return std::move(kept).failure();
    purchase_.row.cause = "submitted again without knowing the outcome, as on-unknown=resubmit asks";
    co_await purchase_.recordAfterwards(LedgerRow::State::NotBought, narrator_);
    narrator_.note("the outcome stays unknown, submitting again as on-unknown=resubmit asks");
    co_return Step::Buy;
  }
  co_return tl::unexpected(unknownOutcome(purchase_, *doubt_));
}

void Generation::addToDoubt(const std::string &why) {
  if (!doubt_->why.empty() && !why.empty())
    doubt_->why += "; ";
  doubt_->why += why;
}

Task<Result<Generation::Step>> Generation::await() {
  auto completed = co_await waitForCompletion(context_, *client_, purchase_, underWay_);
  flight_.reset();
  if (!completed)
    co_return replace(std::move(completed.error()));
  completion_ = std::move(*completed);
  co_return Step::Fetch;
}

/// What a failure of what is bought leads to: to the end, but where it is lost and another one may be bought.
Result<Generation::Step> Generation::replace(Error lost) {
  if (!mayReplace(lost))
    return tl::unexpected(std::move(lost));
  narrator_.warn(lost.what + "; another one is bought, as on-lost=buy asks");
  purchase_.renew();
  narrator_.status.usage = {}; // of the lost one
  context_.deadline = Clock::now() + seconds(settings_.timeout);
  return Step::Buy;
}

/// Whether another generation may be bought for one that is lost. Once a run: what this run has bought itself is not
/// replaced, and nothing of the lost clip may have been played, nor may it be there still.
bool Generation::mayReplace(const Error &error) const {
  return error.kind == ErrorKind::Lost && settings_.onLost == OnLost::Buy && !settings_.fetchesOnly() &&
         plan_.allowance.mayBuy && !submitted_ && !arrived_ && purchase_.keptClip.empty();
}

Task<Result<Generation::Step>> Generation::fetch() {
  ClipFetch::Arriving arriving = [this](const std::shared_ptr<Spool> &clip) {
    arrived_ = true;
    deliver(clip);
  };
  ClipFetch fetch(context_, plan_, *client_, purchase_, store_, std::move(arriving));
  auto clip = co_await fetch.fetch(completion_.clipUrl, std::move(descriptor_));
  if (completion_.took && purchase_.ledger && !kind_.model.empty()) {
    // not before, since the clip should not wait for the ledger
    const double took = static_cast<double>(completion_.took->count()) / 1000;
    const ObservedTime time{plan_.baseUrl, kind_, took, 0};
    co_await learn(narrator_, *purchase_.ledger, time);
  }
  if (!clip)
    co_return replace(std::move(clip.error()));
  sayIfUnmarked();
  co_return Step::End;
}

/// What is known of the generation in a row, for good.
std::string Generation::makeMark(const LedgerRow &row) const {
  const Model *model = Catalogue::instance().find(row.model);
  const auto takesMedia = [](const Parameter &parameter) {
    return parameter.required && parameter.holdsMedia();
  };
  MarkFacts facts;
  const bool fromMedia =
      settings_.fetchesOnly() ? model && std::ranges::any_of(model->parameters, takesMedia) : withMedia_;
  facts.sourceType = fromMedia ? generatedFromMedia : generatedMedia;
  facts.description = "Video made by a generative AI model";
  facts.system = (model && !model->vendor.empty() ? model->vendor + " " : "") + row.model;
  facts.generationId = row.generationId;
  const gint64 accepted = row.submitted != 0 ? row.submitted / 1000 : g_get_real_time() / G_USEC_PER_SEC;
  const auto created = adopt(g_date_time_new_from_unix_utc(accepted));
  facts.created = created ? GCharPtr(g_date_time_format_iso8601(created.get())).get() : "";
  facts.tool = "gst-aimlvideo " PACKAGE_VERSION;
  if (settings_.promptTag)
    facts.prompt = narrator_.status.prompt.empty() ? row.prompt : narrator_.status.prompt;
  return markFrom(facts);
}

/// The clip may be read from now on, with its mark, if one could be made.
void Generation::deliver(std::shared_ptr<Spool> clip) {
  const Mark wish = purchase_.mark.empty() ? Mark::None : settings_.mark;
  clip_ = std::make_shared<MarkedClip>(std::move(clip), purchase_.mark, wish);
  arriving_(narrator_.status, clip_);
}

/// All of the clip is there.
void Generation::sayIfUnmarked() {
  const std::string why = clip_->unmarked();
  narrator_.status.unmarked = why;
  if (!why.empty() && settings_.mark != Mark::None)
    narrator_.note("the clip is delivered without a mark: " + why);
}

Task<void> Generation::finishUp() {
  assert(Loop::instance().isCurrent());
  LedgerRow &row = purchase_.row;
  if (!purchase_.ledger || !store_ || row.clip.empty() || !row.clipChecksum.empty())
    co_return;
  co_await onPool([&] {
    // somebody else may have played it already
    if (const auto present = purchase_.ledger->row(row.id); present && *present)
      row.clipProof = (*present)->clipProof;
    (void)storedClip(*store_, *purchase_.ledger, row, StoredClip::Care::Whole, context_.cancellation);
  });
}

Failure Generation::notInTime(const std::string &what, const std::string &why, const std::string &remedy) const {
  return failure(ErrorKind::TimedOut, what + ", so nothing was bought",
                 why + " within " + std::to_string(settings_.timeout) + " s", remedy);
}

/// Adds what the owner needs to find this generation again.
Failure Generation::finish(Error error) const {
  const LedgerRow &row = purchase_.row;
  error.generationId = row.generationId;
  error.clientRequestId = row.clientRequestId;
  if (error.requestId.empty())
    error.requestId = row.requestId;
  if (error.kind != ErrorKind::Lost && purchase_.isBought() && error.remedy.find("generation-id=") == std::string::npos)
    error.remedy += (error.remedy.empty() ? "" : ". ") + resumeHint(purchase_);
  return Failure{std::move(error)};
}

} // namespace aimlvideo
