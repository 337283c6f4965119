// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/clip_fetch.h"

#include <utility>

#include "base/sha256.h"
#include "clip/downloader.h"
#include "generation/stored_clip.h"
#include "generation/waiting.h"
#include "settings/service_address.h"

namespace aimlvideo {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// The clip's name in the store: of this request, and of this of its purchases.
std::string clipName(const LedgerRow &row) {
  const std::string request = row.identity.empty() ? "given" : row.identity;
  return request + "-" + sha256(row.baseUrl + "\n" + row.generationId).substr(0, 16) + ".mp4";
}

} // namespace

SessionOptions sessionOptionsFor(const Context &context) {
  SessionOptions options = sessionOptionsOf(context.settings);
  options.idleTimeout = context.patience.idleConnection;
  return options;
}

Task<Result<std::shared_ptr<Spool>>> ClipFetch::fetch(const std::string &url,
                                                      std::unique_ptr<ReservedDescriptor> descriptor) {
  auto clip = co_await download(url, std::move(descriptor));
  if (clip && !partly_)
    co_await keep(**clip);
  co_return clip;
}

/// In the store's own folder, where the clip becomes an entry without a copy, or in the temporary one.
Task<Result<std::shared_ptr<SpoolFile>>> ClipFetch::makeSpool() {
  if (store_) {
    auto spool = co_await onPool([this] { return SpoolFile::create(store_->folder()); });
    if (spool)
      co_return spool;
    leaveStore(spool.error());
  }
  co_return co_await onPool([this] { return SpoolFile::create(context_.settings.temporaryFolder); });
}

/// The store's disk is full, perhaps in the middle of a clip that somebody reads already.
Task<Result<void>> ClipFetch::moveFromStore(SpoolFile &spool, const Error &why) {
  if (!store_)
    co_return tl::unexpected(why);
  leaveStore(why);
  co_return co_await onPool([&] { return spool.moveTo(context_.settings.temporaryFolder); });
}

void ClipFetch::leaveStore(const Error &why) {
  context_.narrator.note("the clip will not be kept: " + why.why + " in " + store_->folder());
  store_.reset();
}

Task<Result<std::shared_ptr<Spool>>> ClipFetch::download(const std::string &url,
                                                         std::unique_ptr<ReservedDescriptor> descriptor) {
  context_.narrator.enter(State::Downloading);
  if (const auto room = co_await roomToFetch(context_); !room)
    co_return room.failure();
  const auto begun = Clock::now();
  auto spool = co_await makeSpool();
  if (!spool)
    co_return std::move(spool).failure();
  descriptor.reset();
  Downloader::Limits limits;
  limits.maximumSize = context_.settings.maximumClipSize;
  limits.reach = co_await reach();
  limits.deadline = context_.deadline;
  limits.retries = context_.patience.downloads;
  limits.idle = seconds(context_.patience.idleConnection);
  limits.incomplete = context_.settings.incomplete;
  Downloader::Callbacks callbacks;
  callbacks.freshUrl = [this] {
    return freshUrl();
  };
  callbacks.arriving = [this, &spool] {
    arriving_(*spool);
  };
  callbacks.progressed = [this](uint64_t received, std::optional<uint64_t> total) {
    context_.narrator.bytes(received, total);
  };
  callbacks.retrying = [this](const std::string &why) {
    ++context_.status().retries;
    context_.narrator.note("downloading again: " + why);
  };
  callbacks.diskFull = [this, &spool](const Error &why) {
    return moveFromStore(**spool, why);
  };
  const auto session = HttpSession::shared(sessionOptionsFor(context_), HttpSession::Use::Clips);
  Downloader downloader(*session, context_.cancellation, limits, std::move(callbacks));
  auto fetched = co_await downloader.fetch(url, **spool);
  if (!fetched && downloader.hostHasPartOnly() && purchase_.row.id != 0)
    fetched.error().remedy += ", or take what there is with 'aimlvideo jobs resume " +
                              std::to_string(purchase_.row.id) + " FILE --incomplete'";
  if (!fetched)
    co_return std::move(fetched).failure();
  partly_ = !downloader.incomplete().empty();
  if (partly_)
    context_.narrator.note("the clip is incomplete, delivering what there is: " + downloader.incomplete());
  context_.status().downloadTime = duration_cast<milliseconds>(Clock::now() - begun);
  co_return spool;
}

Task<ClipReach> ClipFetch::reach() {
  if (plan_.loopback && normalizedBaseUrl(plan_.baseUrl).starts_with("http:"))
    co_return ClipReach::ThisMachine;
  const Cancellation::Attempt attempt(context_.cancellation, context_.deadline);
  const bool local = co_await client_.isLocal(attempt.cancellable());
  co_return local ? ClipReach::Local : ClipReach::Public;
}

/// The clip's present address. The generation has completed, so this asks once and takes over what comes.
Task<Result<std::string>> ClipFetch::freshUrl() {
  UnderWay underWay;
  auto completed = co_await waitForCompletion(context_, client_, purchase_, underWay);
  if (!completed)
    co_return std::move(completed).failure();
  co_return std::move(completed->clipUrl);
}

/// Puts the clip into the store for the next time. Where that is not possible it is still played.
Task<void> ClipFetch::keep(const Spool &clip) {
  LedgerRow &row = purchase_.row;
  if (!store_) {
    context_.narrator.log(LogLevel::Warning, "there is no store for clips, it is not kept");
    co_return;
  }
  const std::string name = clipName(row);
  const auto proof = co_await onPool([&]() -> Result<std::string> {
    if (auto kept = store_->keep(clip, name, ClipStore::Limits::fromEnvironment()); !kept)
      return tl::unexpected(std::move(kept.error()));
    const auto stored = store_->find(name, clip.size().value_or(0));
    return stored ? proofOf(*stored) : "";
  });
  if (!proof) {
    context_.narrator.note(proof.error().text());
    co_return;
  }
  row.clip = name;
  row.clipSize = static_cast<int64_t>(clip.size().value_or(0));
  row.clipChecksum.clear();
  row.clipProof = *proof;
  co_await purchase_.recordAfterwards(LedgerRow::State::Completed, context_.narrator);
}

} // namespace aimlvideo
