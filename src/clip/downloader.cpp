// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/downloader.h"

#include <algorithm>
#include <utility>

#include "api/reply.h"
#include "clip/iso_media.h"

namespace aimlvideo {

using std::chrono::duration;

namespace {

/// Larger blocks are cheaper up to about this size.
constexpr size_t blockSize = 512 * 1024;
/// A connection that brought so much is no failed attempt.
constexpr uint64_t realGain = 64 * 1024;
/// What is received again, and compared, where a host names no version of the file.
constexpr uint64_t mostOverlap = 64 * 1024;
/// So often may a host say that the clip ends where its boxes say that it does not.
constexpr unsigned mostCuts = 4;
/// After so long without a byte, another request is no detour.
constexpr std::chrono::milliseconds silence{300};
constexpr uint64_t leastNear = 128 * 1024;
constexpr uint64_t mostNear = 4096 * 1024;

constexpr auto paidFor = "It is paid for and stays at the service";

} // namespace

Downloader::Downloader(HttpSession &session, Cancellation &cancellation, Limits limits, Callbacks callbacks)
    : host_(session, cancellation, limits.reach),
      cancellation_(cancellation),
      limits_(limits),
      callbacks_(std::move(callbacks)),
      buffer_(blockSize),
      overlap_(mostOverlap) {}

Result<void> Downloader::fetch(std::string url, Spool &spool) {
  url_ = std::move(url);
  spool_ = &spool;
  spool.holdEnd();
  spool.setDemandListener([this] { interrupt(); });
  auto done = carryOut();
  spool.setDemandListener({});
  head_.reset();
  jump_.reset();
  if (done)
    return verifyChecksum();
  const bool partly = partOnly_ || done.error().kind == ErrorKind::TimedOut;
  return limits_.incomplete && partly ? salvage(done.error()) : done;
}

Result<void> Downloader::carryOut() {
  for (;;) {
    GCancellable *const news = interruption(); // before the look at what readers want
    judgeEnd();
    const Step step = nextStep(spool_->present(), situation());
    if (step.kind == Step::Kind::Done) {
      const auto over = ended();
      if (!over || *over)
        return over ? Result<void>() : tl::unexpected(over.error());
      continue;
    }
    const bool reads = step.kind == Step::Kind::ReadHead || step.kind == Step::Kind::ReadJump;
    const auto &connection = step.kind == Step::Kind::ReadHead ? head_ : jump_;
    if (reads && announced_ && !connection->stream->waitUntilReadable(news, silence)) {
      // a reader may want something that this connection does not bring
      if (const auto checked = checkSilence(); !checked)
        return checked;
      continue;
    }
    if (const auto done = carryOut(step); !done)
      return done;
  }
}

/// A connection whose other end is gone without a word is told by its silence only, and the waits above are too short
/// for the session's own timeout. A jump has a deadline.
Result<void> Downloader::checkSilence() {
  if (!head_ || Clock::now() - head_->lastBytes < limits_.idle)
    return {};
  return headFailed({ClipRefusal::Kind::Later, "the clip's host fell silent", 0, {}});
}

Result<void> Downloader::carryOut(const Step &step) {
  switch (step.kind) {
  case Step::Kind::ReadHead:
    return readHead();
  case Step::Kind::ReadJump:
    return readJump();
  case Step::Kind::OpenHead:
    return openHead(step);
  case Step::Kind::OpenJump:
    return openJump(step);
  case Step::Kind::Done:
    break;
  }
  return {};
}

GCancellable *Downloader::interruption() {
  const std::lock_guard lock(mutex_);
  if (!interruption_ || g_cancellable_is_cancelled(interruption_.get()))
    interruption_ = adopt(g_cancellable_new());
  return interruption_.get();
}

void Downloader::interrupt() {
  GRefPtr<GCancellable> news;
  {
    const std::lock_guard lock(mutex_);
    news = interruption_;
  }
  if (news)
    g_cancellable_cancel(news.get());
}

Situation Downloader::situation() const {
  Situation now;
  now.size = spool_->size();
  if (head_)
    now.head = head_->line;
  if (jump_)
    now.jump = jump_->line;
  now.demand = spool_->demand();
  now.lastAsked = spool_->lastAsked();
  now.parts = parts_;
  now.jumps = Clock::now() >= nextJump_;
  now.near = bytesSoonerThanAnAnswer();
  now.lastJumpEnd = lastJumpEnd_;
  return now;
}

uint64_t Downloader::bytesSoonerThanAnAnswer() const {
  if (Clock::now() - lastBytes_ >= silence)
    return 0;
  const double seconds = duration<double>(answerTime_.value_or(Clock::duration::zero())).count();
  return std::clamp(static_cast<uint64_t>(seconds * bytesPerSecond_), leastNear, mostNear);
}

/// Where the host can't name its file, what was received last is asked for again, to be compared. Likewise where the
/// length is not known: all may be there, and there is no part behind it.
uint64_t Downloader::overlapBefore(uint64_t offset) const {
  const uint64_t length = std::min(overlap_, offset);
  const bool there = spool_->present().contains(offset - length, offset);
  return (validator_.empty() || !spool_->size()) && there ? length : 0;
}

Result<void> Downloader::openHead(const Step &step) {
  head_.reset();
  ClipHost::Wanted wanted;
  wanted.asPart = parts_;
  if (parts_) {
    wanted.first = step.first - overlapBefore(step.first);
    wanted.end = step.end < spool_->size().value_or(0) ? step.end : UINT64_MAX;
    wanted.validator = wanted.first > 0 ? validator_ : "";
  }
  const auto asked = Clock::now();
  auto part = host_.open(url_, wanted, limits_.deadline);
  if (!part)
    return headFailed(part.error());
  // a host that once sends a whole file instead of a part is not asked for parts again
  parts_ = part->isPart || (wanted.first == 0 && part->mayDoParts);
  head_ = connect(std::move(*part), asked);
  // a page in place of the file is told by its first bytes, before its length
  if (head_->otherFile && head_->line.position > 0)
    return otherFile();
  const Line &line = head_->line;
  if (head_->otherFile || !spool_->size() || spool_->present().presentUntil(line.position) < line.end)
    return {};
  // a host that sends shorter parts than it is asked for is asked on, and for less of what is there
  overlap_ = std::min(overlap_, (line.end - line.position) / 2);
  return headFailed({ClipRefusal::Kind::Later, "the clip's host sends nothing new", 0, {}});
}

Result<void> Downloader::openJump(const Step &step) {
  jump_.reset();
  const auto asked = Clock::now();
  auto part =
      host_.open(url_, {step.first, step.end, true, validator_}, std::min(limits_.deadline, asked + limits_.jump));
  if (!part)
    return jumpFailed(part.error());
  Connection connection = connect(std::move(*part), asked);
  if (connection.line.position != step.first || connection.otherFile)
    return jumpFailed({ClipRefusal::Kind::WrongPart, "the host sent all of the clip instead of a part", 0, {}});
  lastJumpEnd_ = connection.line.end;
  jump_ = std::move(connection);
  return {};
}

Downloader::Connection Downloader::connect(ClipPart part, Clock::time_point asked) {
  const auto now = Clock::now();
  answerTime_ = std::min(answerTime_.value_or(now - asked), now - asked);
  Connection connection;
  connection.stream = std::move(part.stream);
  const auto size = spool_->size();
  connection.line = {part.first, std::min(part.end, size.value_or(UINT64_MAX))};
  connection.total = part.total;
  connection.checksum = std::move(part.checksum);
  connection.presentBefore = spool_->present().bytes();
  connection.otherFile =
      (part.total && (size ? *part.total != *size : *part.total < spool_->present().presentUntil(0))) ||
      (part.isPart && !part.validator.empty() && !validator_.empty() && part.validator != validator_);
  connection.validator = std::move(part.validator);
  connection.verifiedAt = spool_->present().presentUntil(part.first);
  connection.opened = connection.lastBytes = now;
  lastBytes_ = now;
  return connection;
}

/// What an answer says of the file, once its first bytes have shown that they are the clip's: a page has a length too.
Result<void> Downloader::learnFrom(const Connection &connection) {
  if (connection.presentBefore == 0 && validator_.empty())
    validator_ = connection.validator;
  if (checksum_.hex.empty())
    checksum_ = connection.checksum;
  if (spool_->size() || !connection.total)
    return {};
  return withRoom([&] { return spool_->setSize(*connection.total); });
}

/// Does what takes room on the disk, and again where another place for the spool is found.
template <typename Action>
std::invoke_result_t<Action> Downloader::withRoom(const Action &action) {
  auto done = action();
  if (done || done.error().kind != ErrorKind::NoSpace || !callbacks_.diskFull)
    return done;
  if (auto moved = callbacks_.diskFull(done.error()); !moved)
    return tl::unexpected(std::move(moved.error()));
  return action();
}

Result<void> Downloader::readHead() {
  auto received = receive(*head_);
  if (!received)
    return headBroke(received.error());
  if (!*received)
    return tl::unexpected(std::move(received->error()));
  switch (**received) {
  case Received::Page:
    return page();
  case Received::OtherFile:
    return otherFile();
  case Received::End:
    return headEnded();
  case Received::Some:
    break;
  }
  if (head_->line.position >= head_->verifiedAt)
    validator_ = head_->validator;
  if (head_->line.position == head_->line.end)
    head_.reset();
  return {};
}

/// Where no length was told, an end that is no proper one may be the end all the same.
Result<void> Downloader::headBroke(const TransportError &error) {
  const uint64_t position = head_->line.position;
  const bool again = error.cause == TransportError::Cause::Lost && !spool_->size() && position > 0 &&
                     position == spool_->present().bytes() && std::exchange(brokeAt_, position) == position;
  if (again && wholenessOf(*spool_, position).wholeness != Wholeness::Unclear)
    return lengthKnown(position);
  const bool stopped = error.cause == TransportError::Cause::Cancelled;
  return headFailed({stopped ? ClipRefusal::Kind::Stopped : ClipRefusal::Kind::Later, error.message, 0, {}});
}

Result<void> Downloader::readJump() {
  auto received = receive(*jump_);
  if (!received)
    return jumpFailed({received.error().cause == TransportError::Cause::Cancelled ? ClipRefusal::Kind::Stopped
                                                                                  : ClipRefusal::Kind::Later,
                       received.error().message,
                       0,
                       {}});
  if (!*received)
    return tl::unexpected(std::move(received->error()));
  if (**received == Received::OtherFile)
    return otherFile();
  if (**received != Received::Some)
    return jumpFailed({ClipRefusal::Kind::Later, "a part of the clip ended early", 0, {}});
  jumpFailures_ = 0;
  if (jump_->line.position == jump_->line.end) {
    // its end frees the connection for the next request; libsoup reads trailers into this buffer too
    (void)jump_->stream->read(buffer_.data(), buffer_.size());
    jump_.reset();
  }
  return {};
}

/// Takes what has come from a connection into the spool.
Exchanged<Result<Downloader::Received>> Downloader::receive(Connection &connection) {
  const Line &line = connection.line;
  const bool start = line.position == 0;
  const auto wanted = static_cast<size_t>(std::min<uint64_t>(buffer_.size(), line.end - line.position));
  const auto count = start ? readStart(connection) : connection.stream->read(buffer_.data(), wanted);
  if (!count)
    return tl::unexpected(count.error());
  if (const std::string_view body(buffer_.data(), *count); start && *count > 0 && !looksLikeVideo(body)) {
    page_ = looksLikeText(body) ? "a text instead of a video: " + serviceMessage(body.substr(0, bytesThatTell))
                                : "something that is no video";
    return Received::Page;
  }
  if (connection.otherFile)
    return Received::OtherFile;
  if (*count == 0)
    return Received::End;
  return store(connection, *count);
}

/// The first bytes of a file, enough to tell what they are.
Exchanged<size_t> Downloader::readStart(Connection &connection) {
  const auto wanted = static_cast<size_t>(std::min<uint64_t>(buffer_.size(), connection.line.end));
  size_t filled = 0;
  while (filled < std::min(bytesThatTell, wanted)) {
    const auto count = connection.stream->read(buffer_.data() + filled, wanted - filled);
    if (!count)
      return count;
    if (*count == 0)
      break;
    filled += *count;
  }
  return filled;
}

Result<Downloader::Received> Downloader::store(Connection &connection, size_t count) {
  Line &line = connection.line;
  if (const uint64_t least = std::max(line.position + count, connection.total.value_or(0)); least > limits_.maximumSize)
    return tl::unexpected(tooLarge(least));
  const uint64_t before = spool_->present().bytes();
  const auto same = withRoom([&] { return spool_->write(line.position, buffer_.data(), count); });
  if (!same)
    return tl::unexpected(same.error());
  if (!*same)
    return Received::OtherFile;
  if (auto learned = learnFrom(connection); !learned)
    return tl::unexpected(std::move(learned.error()));
  line.position += count;
  connection.received += count;
  lastBytes_ = connection.lastBytes = Clock::now();
  gained_ += spool_->present().bytes() - before;
  const double seconds = duration<double>(lastBytes_ - connection.opened).count();
  if (seconds > 0)
    bytesPerSecond_ = static_cast<double>(connection.received) / seconds;
  pages_ = 0;
  if (auto announced = announce(); !announced)
    return tl::unexpected(std::move(announced.error()));
  callbacks_.progressed(spool_->present().bytes(), spool_->size());
  return Received::Some;
}

/// The clip may be read as soon as it is known where it ends, or that a player does not need to know. One that its host
/// has cut is not played if its first bytes tell.
Result<void> Downloader::announce() {
  const auto size = spool_->size();
  if (announced_ || (!size && !beginsWithMovie(*spool_)) ||
      (size && wholenessOf(*spool_, *size).wholeness == Wholeness::Cut))
    return {};
  announced_ = true;
  callbacks_.arriving();
  return {};
}

/// The body ended before the head's line did, which may have no known end.
Result<void> Downloader::headEnded() {
  const uint64_t length = head_->line.position;
  const auto size = spool_->size();
  if (!size && length > 0)
    return lengthKnown(length);
  if (head_->received > 0 && spool_->present().bytes() == head_->presentBefore)
    overlap_ = std::min(overlap_, head_->received / 2);
  return headFailed(
      {ClipRefusal::Kind::Later,
       "the transfer ended after " + std::to_string(length) + " bytes" + (size ? " of " + std::to_string(*size) : ""),
       0,
       {}});
}

/// A host that tells no length may have cut the file, so it must be whole by its boxes; where these don't tell, or more
/// of them could follow, it must end twice at the same place.
Result<void> Downloader::lengthKnown(uint64_t size) {
  const auto finding = wholenessOf(*spool_, size);
  if (finding.wholeness == Wholeness::Cut)
    return cutShort(size, finding.why);
  const bool doubtful = finding.wholeness == Wholeness::Unclear || finding.mayGoOn;
  if (doubtful && std::exchange(doubtfulLength_, size) != size)
    return headFailed({ClipRefusal::Kind::Later, "the clip may end early", 0, {}});
  head_.reset();
  if (auto set = withRoom([&] { return spool_->setSize(size); }); !set)
    return set;
  return announce();
}

/// A reader asks for the clip's end, which is held as long as what is there shows that it must be elsewhere.
void Downloader::judgeEnd() {
  if (!spool_->endWanted())
    return;
  const Wholeness wholeness = wholenessOf(*spool_, spool_->size().value_or(0)).wholeness;
  if (wholeness == Wholeness::Whole)
    spool_->releaseEnd();
  else if (wholeness == Wholeness::Unclear)
    spool_->tellEnd();
}

/// All is there that the host speaks of. False: its boxes speak of more, and it is asked once more.
Result<bool> Downloader::ended() {
  const uint64_t size = spool_->size().value_or(0);
  if (const auto finding = wholenessOf(*spool_, size); finding.wholeness == Wholeness::Cut) {
    if (auto again = cutShort(size, finding.why); !again)
      return tl::unexpected(std::move(again.error()));
    return false;
  }
  spool_->releaseEnd();
  return true;
}

/// The host ends the clip where it can't end. Another attempt may find all of it, a few in vain tell that the host has
/// no more.
Result<void> Downloader::cutShort(uint64_t size, const std::string &why) {
  jump_.reset();
  checksum_ = {}; // perhaps of what was cut
  if (size > cutAt_) {
    cutAt_ = size;
    cuts_ = 0;
  }
  if (++cuts_ < mostCuts && spool_->forgetSize())
    return headFailed({ClipRefusal::Kind::Later, "the clip is not whole: " + why, 0, {}});
  partOnly_ = true;
  return failure(ErrorKind::BadAnswer, "the clip that its host has is not whole",
                 why + ", it ends after " + std::to_string(size) + " bytes",
                 std::string(paidFor) + ": try again later");
}

/// Leaves it at what there is from the start on.
Result<void> Downloader::salvage(const Error &why) {
  const uint64_t there = spool_->present().presentUntil(0);
  if (there == 0)
    return tl::unexpected(why);
  incomplete_ = why.why.empty() ? why.what : why.why; // where it is empty, the clip counts as whole
  if (auto set = spool_->setSize(there); !set)
    return set;
  spool_->releaseEnd();
  if (!std::exchange(announced_, true)) // a player was not given it
    callbacks_.arriving();
  return {};
}

Result<void> Downloader::page() {
  const std::string words = "the clip's host sent " + page_;
  if (++pages_ > 1)
    return failure(ErrorKind::BadAnswer, "the clip can't be used", words, std::string(paidFor) + ": try again later");
  return headFailed({ClipRefusal::Kind::LinkRefused, words, 0, {}});
}

/// The host's file is not the one that the spool has begun.
Result<void> Downloader::otherFile() {
  const auto cleared = spool_->clear();
  if (!cleared)
    return tl::unexpected(cleared.error());
  if (!*cleared)
    return failure(ErrorKind::BadAnswer, "the clip can't be played to its end",
                   "its host holds another file now than at the beginning",
                   "Play it again: it is paid for and will be fetched anew");
  jump_.reset();
  validator_.clear();
  checksum_ = {};
  doubtfulLength_.reset();
  brokeAt_.reset();
  return headFailed({ClipRefusal::Kind::Later, "the clip's host changed the file", 0, {}});
}

/// Decides whether and when there is another attempt.
Result<void> Downloader::headFailed(const ClipRefusal &refusal) {
  head_.reset();
  if (refusal.kind == ClipRefusal::Kind::Stopped)
    return failure(ErrorKind::Cancelled, "the download was stopped");
  if (refusal.kind == ClipRefusal::Kind::WrongPart)
    parts_ = false;
  if (cause_.empty() || Clock::now() < limits_.deadline) { // that time was up says less
    cause_ = refusal.cause;
    httpStatus_ = refusal.status;
  }
  failures_ = gained_ >= realGain ? 0 : failures_ + 1;
  gained_ = 0;
  const auto pause = failures_ > 0 || refusal.retryAfter
                         ? limits_.retries.pauseBefore(failures_ + 1, refusal.retryAfter, random_)
                         : std::chrono::milliseconds(0);
  const auto next = Clock::now() + pause;
  if (next >= limits_.deadline)
    return outOfTime();
  callbacks_.retrying(cause_);
  if (!cancellation_.sleepUntil(next))
    return failure(ErrorKind::Cancelled, "the download was stopped");
  return refusal.kind == ClipRefusal::Kind::LinkRefused ? renewLink() : Result<void>{};
}

Failure Downloader::outOfTime() const {
  auto error = failure(ErrorKind::TimedOut, "the clip could not be fetched before the deadline", cause_, paidFor);
  error.value().httpStatus = httpStatus_;
  return error;
}

/// The head goes on meanwhile, so nothing waits here.
Result<void> Downloader::jumpFailed(const ClipRefusal &refusal) {
  jump_.reset();
  lastJumpEnd_ = 0;
  if (refusal.kind == ClipRefusal::Kind::Stopped)
    return failure(ErrorKind::Cancelled, "the download was stopped");
  if (refusal.kind == ClipRefusal::Kind::WrongPart) {
    parts_ = false;
    return {};
  }
  ++jumpFailures_;
  nextJump_ = Clock::now() + limits_.retries.pauseBefore(jumpFailures_ + 1, refusal.retryAfter, random_);
  callbacks_.retrying(refusal.cause);
  return refusal.kind == ClipRefusal::Kind::LinkRefused ? renewLink() : Result<void>{};
}

Result<void> Downloader::renewLink() {
  auto fresh = callbacks_.freshUrl();
  // what was wrong with the clip says more than that time was up when its link was asked for once more
  if (!fresh && fresh.error().kind == ErrorKind::TimedOut && fresh.error().why.empty() && !cause_.empty())
    return outOfTime();
  if (!fresh)
    return tl::unexpected(std::move(fresh.error()));
  url_ = std::move(*fresh);
  parts_ = true; // it may be another host
  return {};
}

Error Downloader::tooLarge(uint64_t size) const {
  return failure(ErrorKind::TooLarge, "the clip is too large",
                 "it has " + std::to_string(size) + " bytes or more, max-clip-size allows " +
                     std::to_string(limits_.maximumSize),
                 std::string(paidFor) + ": raise max-clip-size")
      .value();
}

Result<void> Downloader::verifyChecksum() const {
  if (checksum_.hex.empty())
    return {};
  const std::unique_ptr<GChecksum, void (*)(GChecksum *)> checksum(g_checksum_new(checksum_.type), g_checksum_free);
  std::vector<guchar> block(blockSize);
  for (uint64_t offset = 0; offset < spool_->size().value_or(0);) {
    if (cancellation_.cancelled())
      return failure(ErrorKind::Cancelled, "the download was stopped");
    const auto count = spool_->read(offset, block.data(), block.size());
    if (!count)
      return tl::unexpected(count.error());
    if (*count == 0)
      break;
    g_checksum_update(checksum.get(), block.data(), static_cast<gssize>(*count));
    offset += *count;
  }
  if (checksum_.hex == g_checksum_get_string(checksum.get()))
    return {};
  return failure(ErrorKind::BadAnswer, "the clip arrived damaged", "its checksum is not the one that its host names",
                 std::string(paidFor) + ": play it again");
}

} // namespace aimlvideo
