// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/claim.h"

#include <algorithm>
#include <set>
#include <utility>

#include "api/canonical.h"
#include "api/endpoint.h"
#include "base/folders.h"
#include "base/sha256.h"
#include "generation/expectation.h"
#include "generation/remarks.h"
#include "generation/stored_clip.h"
#include "http/validator.h"
#include "ledger/identity.h"

namespace aimlvideo {

namespace {

using RowState = LedgerRow::State;

class Claimant {
public:
  Claimant(const Context &context, const Plan &plan, HttpSession &session, const ClipStore *store, Purchase &purchase,
           int64_t ownRow)
      : context_(context), plan_(plan), session_(session), store_(store), purchase_(purchase), ownRow_(ownRow) {}

  Task<Result<Claim>> claim();
  bool joined() const { return waited_; }

private:
  Task<Result<Claim>> request();
  Task<Result<Claim>> given();
  Task<Result<Claim>> listed();
  Task<Result<void>> describeRequest();
  Result<void> gatherIdentities();
  Result<bool> isKnown() const;
  Result<void> seeEarlierRun();
  Result<std::optional<LedgerRow>> newest() const;
  Task<Result<void>> own(const std::string &name);
  Failure notLetGo(const std::string &holder) const;
  Task<void> follow(const std::string &name);
  Result<void> found(Result<std::optional<LedgerRow>> row);
  Task<Result<Claim>> goOn();
  Task<std::shared_ptr<Spool>> stored();

  const Context &context_;
  const Plan &plan_;
  HttpSession &session_;
  const ClipStore *store_;
  Purchase &purchase_;
  const int64_t ownRow_;
  /// Of the request, in order: the present one, and those that older versions gave it by the spelling of the base URL.
  std::set<std::string> identities_;
  std::set<std::string> held_;     ///< names of the ownerships
  std::optional<LedgerRow> found_; ///< the ledger's row for it, if there is one
  bool isOwnRow_ = false;
  bool waited_ = false; ///< somebody else worked on the same request
};

/// Fills the row with what is asked for, with images that are given by URL identified by their hosts' validators.
/// Where nothing may be bought, a request that was never made here ends here: no host is asked, and no trace is left.
Task<Result<void>> Claimant::describeRequest() {
  LedgerRow &row = purchase_.row;
  row.baseUrl = plan_.baseUrl;
  row.identity = requestIdentity(row.baseUrl, plan_.request.canonical, context_.settings.take);
  if (auto gathered = co_await onPool([this] { return gatherIdentities(); }); !gathered)
    co_return gathered;
  if (!plan_.allowance.mayBuy) {
    const auto known = co_await onPool([this] { return isKnown(); });
    if (!known)
      co_return known.failure();
    if (!*known)
      co_return tl::unexpected(notForUri(context_.settings));
  }
  const auto deadline = std::min(context_.deadline, Clock::now() + context_.patience.validators);
  // somebody else's URI must not make this machine ask hosts that only it can reach
  const bool publicOnly = !context_.settings.uri.empty() && !plan_.loopback;
  for (const std::string &url : remoteMediaIn(plan_.request.canonical)) {
    const auto validator = co_await validatorOf(session_, url, context_.cancellation, deadline, publicOnly);
    if (context_.cancellation.cancelled())
      co_return stopped();
    if (!validator)
      context_.narrator.log(LogLevel::Info,
                            url + " has neither ETag nor Last-Modified: a finished clip will not be replayed");
    row.replayable = row.replayable && validator.has_value();
    row.validators += validator.value_or("") + "\n";
  }
  if (!row.replayable)
    row.validators.clear();
  co_return {};
}

/// Rows of versions that took every spelling of a base URL for another service are this request's as well.
Result<void> Claimant::gatherIdentities() {
  const LedgerRow &row = purchase_.row;
  auto spellings = purchase_.ledger->spellingsOf(row.baseUrl);
  if (!spellings)
    return tl::unexpected(std::move(spellings.error()));
  identities_.insert(row.identity);
  const auto bySpelling = [&](const std::string &spelling) {
    return identityBySpelling(spelling, plan_.request.canonical, context_.settings.take);
  };
  identities_.insert(bySpelling(row.baseUrl)); // an older version may be at work on it now
  for (const std::string &spelling : *spellings) {
    const std::string identity = bySpelling(spelling);
    if (identities_.contains(identity))
      continue;
    const auto known = purchase_.ledger->knows(identity);
    if (!known)
      return tl::unexpected(known.error());
    if (*known)
      identities_.insert(identity);
  }
  return {};
}

Result<bool> Claimant::isKnown() const {
  for (const std::string &identity : identities_)
    if (auto known = purchase_.ledger->knows(identity); !known || *known)
      return known;
  return false;
}

/// What the same element bought in its earlier run is resumed, if it is still the same request.
Result<void> Claimant::seeEarlierRun() {
  const auto row = purchase_.ledger->row(ownRow_);
  if (!row)
    return row.failure();
  if (!*row)
    return {};
  const bool same = identities_.contains((*row)->identity) && (*row)->validators == purchase_.row.validators;
  const RowState state = (*row)->state;
  isOwnRow_ = same && (state == RowState::Sent || state == RowState::Running || state == RowState::Completed);
  if (isOwnRow_)
    purchase_.row.owner = (*row)->owner;
  return {};
}

Result<std::optional<LedgerRow>> Claimant::newest() const {
  std::optional<LedgerRow> newest;
  for (const std::string &identity : identities_) {
    auto row = purchase_.ledger->find(identity, purchase_.row.validators);
    if (!row)
      return row;
    if (*row && (!newest || newest->id < (*row)->id))
      newest = std::move(**row);
  }
  return newest;
}

Task<Result<Claim>> Claimant::claim() {
  if (context_.settings.ledgerRow != 0)
    co_return co_await listed();
  if (context_.settings.fetchesOnly())
    co_return co_await given();
  co_return co_await request();
}

/// What a look at the ledger brings.
Result<void> Claimant::found(Result<std::optional<LedgerRow>> row) {
  if (!row)
    return std::move(row).failure();
  found_ = std::move(*row);
  return {};
}

Task<Result<Claim>> Claimant::request() {
  if (const auto described = co_await describeRequest(); !described)
    co_return described.failure();
  purchase_.row.owner = purchase_.row.identity;
  if (ownRow_ != 0) {
    if (const auto seen = co_await onPool([this] { return seeEarlierRun(); }); !seen)
      co_return seen.failure();
  }
  const bool alone = !isOwnRow_ && context_.settings.reuse == Reuse::None;
  if (alone)
    purchase_.row.owner += std::string(".") + GCharPtr(g_uuid_string_random()).get();
  // two processes that spell the base URL differently take the same ones, in the same order
  const std::set<std::string> owners = isOwnRow_ || alone ? std::set<std::string>{purchase_.row.owner} : identities_;
  for (const std::string &owner : owners)
    if (const auto owned = co_await own(owner); !owned)
      co_return owned.failure();

  if (!alone) {
    const auto looked =
        co_await onPool([this] { return found(isOwnRow_ ? purchase_.ledger->row(ownRow_) : newest()); });
    if (!looked)
      co_return looked.failure();
  }
  if (found_ && !held_.contains(found_->owner)) {
    // bought with reuse=none, perhaps by somebody who is still at work
    if (const auto owned = co_await own(found_->owner); !owned)
      co_return owned.failure();
    const auto looked = co_await onPool([this] { return found(purchase_.ledger->row(found_->id)); });
    if (!looked)
      co_return looked.failure();
  }
  if (!found_)
    co_return Claim{};
  co_return co_await goOn();
}

/// A generation that the user names. It is never submitted, so that it needs no ledger.
Task<Result<Claim>> Claimant::given() {
  LedgerRow &row = purchase_.row;
  const EndpointChoice choice = context_.settings.endpoint;
  row.baseUrl = plan_.baseUrl;
  row.model = context_.settings.model;
  row.generationId = context_.settings.generationId;
  row.family = choice == EndpointChoice::Legacy ? EndpointFamily::Legacy : EndpointFamily::Universal;
  row.owner = "given." + sha256(serviceAt(row.baseUrl) + "\n" + row.generationId);
  row.state = RowState::Running;
  if (!purchase_.ledger)
    co_return Claim{Claim::Way::Await, nullptr, false};

  const auto find = [&] {
    return found(purchase_.ledger->findGeneration(row.baseUrl, row.generationId));
  };
  (void)co_await onPool(find);
  const bool listed = found_.has_value();
  const std::string owner = listed ? found_->owner : row.owner;
  if (const auto owned = co_await own(owner); !owned)
    co_return owned.failure();
  if (listed || waited_) {
    found_.reset();
    (void)co_await onPool(find);
  }
  if (found_)
    co_return co_await goOn();
  row.keyFingerprint = purchase_.ledger->fingerprint(plan_.key);
  co_await purchase_.recordAfterwards(RowState::Running, context_.narrator);
  co_return Claim{Claim::Way::Await, nullptr, false};
}

/// What a row of the ledger has bought.
Task<Result<Claim>> Claimant::listed() {
  const int64_t id = context_.settings.ledgerRow;
  const auto read = [&] {
    return found(purchase_.ledger->row(id));
  };
  auto looked = co_await onPool(read);
  if (looked && found_) {
    if (const auto owned = co_await own(found_->owner); !owned)
      co_return owned.failure();
    looked = co_await onPool(read);
  }
  if (!looked)
    co_return looked.failure();
  if (!found_)
    co_return failure(ErrorKind::NotFound, "the ledger has no job " + std::to_string(id), "",
                      "'aimlvideo jobs list' lists those that it has");
  co_return co_await goOn();
}

/// Goes on with what was found.
Task<Result<Claim>> Claimant::goOn() {
  const bool given = context_.settings.fetchesOnly();
  purchase_.row = *std::exchange(found_, {});
  LedgerRow &found = purchase_.row;
  purchase_.byOtherKey =
      !found.keyFingerprint.empty() && found.keyFingerprint != purchase_.ledger->fingerprint(plan_.key);
  if (given && !found.generationId.empty() && found.state != RowState::Completed) // whatever the row says
    purchase_.doubted = std::exchange(found.state, RowState::Running) != RowState::Running;
  switch (found.state) {
  case RowState::Intent:
  case RowState::Failed:
  case RowState::NotBought:
    co_return Claim{};
  case RowState::Moderated:
    co_return tl::unexpected(moderatedBefore(context_.settings, purchase_));
  case RowState::Sent:
    co_return Claim{Claim::Way::LookUp, nullptr, false};
  case RowState::Running:
    co_return Claim{Claim::Way::Await, nullptr, false};
  case RowState::Completed:
    break;
  }
  const bool replay = isOwnRow_ || waited_ || (context_.settings.reuse == Reuse::All && (found.replayable || given));
  if (!replay && !given)
    co_return Claim{};
  purchase_.wasCompleted = true;
  if (auto mark = co_await onPool([this] { return purchase_.ledger->mark(purchase_.row.id); }))
    purchase_.mark = std::move(*mark);
  std::shared_ptr<Spool> clip;
  if (replay)
    clip = co_await stored();
  const auto way = clip ? Claim::Way::Replay : Claim::Way::Await;
  co_return Claim{way, std::move(clip), false};
}

Task<std::shared_ptr<Spool>> Claimant::stored() {
  if (!store_ || purchase_.row.clip.empty())
    co_return nullptr;
  auto stored = co_await onPool([this] {
    return storedClip(*store_, *purchase_.ledger, purchase_.row, StoredClip::Care::Quick, context_.cancellation);
  });
  if (!stored.clip && stored.state != StoredClip::State::Gone)
    context_.narrator.note(std::string("the stored clip ") + stored.problem() + ", it is fetched again");
  if (stored.mayBeRight())
    purchase_.keptClip = store_->folder() + "/" + purchase_.row.clip;
  co_return std::move(stored.clip);
}

/// Takes an ownership, and waits for whoever has it: that one is killed or stopped, or it is done.
Task<Result<void>> Claimant::own(const std::string &name) {
  const std::string folder = stateFolder();
  Waiter released(context_.cancellation);
  const OwnershipWatch watch(folder, name, released.waker());
  for (;;) {
    auto taken = co_await onPool([&] { return Ownership::take(folder, name); });
    if (!taken)
      co_return std::move(taken).failure();
    if (*taken) {
      purchase_.ownerships.push_back(std::move(**taken));
      held_.insert(name);
      co_return {};
    }
    const std::string holder = co_await onPool([&] { return Ownership::holder(folder, name); });
    if (!std::exchange(waited_, true)) {
      context_.narrator.enter(State::QueuedLocally);
      context_.narrator.note("the same generation is in use by " + holder + ", waiting for its clip");
    }
    co_await follow(name);
    // other processes do not tell when they let go
    const bool ours = Ownership::isHeldHere(folder, name);
    const auto pause = ours ? Narrator::signInterval : std::chrono::milliseconds(context_.patience.ownership);
    const auto next = std::min(Clock::now() + pause, context_.deadline);
    if (!co_await released.until(next))
      co_return stopped();
    if (Clock::now() >= context_.deadline)
      co_return notLetGo(holder);
  }
}

Failure Claimant::notLetGo(const std::string &holder) const {
  return failure(ErrorKind::TimedOut, "the same generation is in use by " + holder,
                 "it was not released within " + std::to_string(context_.settings.timeout) + " s",
                 "Wait for it, or end it and run again to take over; this one has bought nothing");
}

/// Shows how far the other owner is.
Task<void> Claimant::follow(const std::string &name) {
  context_.narrator.tick();
  auto row = co_await onPool([this] { return newest(); });
  if (!row || !*row || (*row)->owner != name || (*row)->generationId.empty())
    co_return;
  context_.status().generationId = (*row)->generationId;
  if (!context_.narrator.forecast()) {
    const JobKind kind = kindOf(context_.settings, plan_, **row);
    co_await expect(context_.narrator, purchase_.ledger, plan_.baseUrl, kind);
    (void)watchOf(**row, context_.status());
  }
  context_.narrator.enter((*row)->state == RowState::Completed ? State::Downloading : State::Generating);
}

} // namespace

Task<Result<Claim>> claim(const Context &context, const Plan &plan, HttpSession &session, const ClipStore *store,
                          Purchase &purchase, int64_t ownRow) {
  auto ledger = co_await onPool([&] { return Ledger::open(stateFolder(), context.cancellation, context.deadline); });
  if (!ledger && context.settings.generationId.empty())
    co_return std::move(ledger).failure();
  if (ledger)
    purchase.ledger = std::move(*ledger);
  else
    context.narrator.note("continuing without the ledger: " + ledger.error().why);
  Claimant claimant(context, plan, session, store, purchase, ownRow);
  auto result = co_await claimant.claim();
  if (result)
    result->joined = claimant.joined();
  context.status().generationId = purchase.row.generationId;
  context.status().clientRequestId = purchase.row.clientRequestId;
  co_return result;
}

} // namespace aimlvideo
