// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/downloader.h"

#include <algorithm>

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
constexpr uint64_t overlap = 64 * 1024;
/// After so long without a byte, another request is no detour.
constexpr std::chrono::milliseconds silence{300};
constexpr uint64_t leastNear = 128 * 1024;
constexpr uint64_t mostNear = 4096 * 1024;

constexpr auto paidFor = "It is paid for and stays at the service";

} // namespace

Downloader::Downloader(HttpSession &session, Cancellation &cancellation, Limits limits, Callbacks callbacks)
    : host_(session, cancellation, limits.localHosts),
      cancellation_(cancellation),
      limits_(limits),
      callbacks_(std::move(callbacks)),
      buffer_(blockSize) {}

Result<void> Downloader::fetch(std::string url, Spool &spool) {
  url_ = std::move(url);
  spool_ = &spool;
  spool.setDemandListener([this] { interrupt(); });
  const auto done = carryOut();
  spool.setDemandListener({});
  head_.reset();
  jump_.reset();
  return done ? verifyChecksum() : done;
}

Result<void> Downloader::carryOut() {
  for (;;) {
    GCancellable *const news = interruption(); // before the look at what readers want
    const Step step = nextStep(spool_->present(), situation());
    if (step.kind == Step::Kind::Done)
      return {};
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
  now.size = total_;
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

/// Where the host can't name its file, what was received last is asked for again, to be compared.
uint64_t Downloader::overlapBefore(uint64_t offset) const {
  const uint64_t length = std::min(overlap, offset);
  const bool there = spool_->present().contains(offset - length, offset);
  return validator_.empty() && there ? length : 0;
}

Result<void> Downloader::openHead(const Step &step) {
  head_.reset();
  ClipHost::Wanted wanted;
  wanted.asPart = parts_;
  if (parts_) {
    wanted.first = step.first - overlapBefore(step.first);
    wanted.end = total_ && step.end < *total_ ? step.end : UINT64_MAX;
    wanted.validator = wanted.first > 0 ? validator_ : "";
  }
  const auto asked = Clock::now();
  auto part = host_.open(url_, wanted, limits_.deadline);
  if (!part)
    return headFailed(part.error());
  // a host that once sends a whole file instead of a part is not asked for parts again
  parts_ = part->isPart || (wanted.first == 0 && part->mayDoParts);
  if (const auto taken = takeOver(*part); !taken)
    return taken;
  head_ = connect(std::move(*part), asked);
  // a page in place of the file is told by its first bytes, before its length
  return head_->otherFile && head_->line.position > 0 ? otherFile() : Result<void>{};
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
  connection.line = {part.first, std::min(part.end, total_.value_or(UINT64_MAX))};
  connection.otherFile =
      (total_ && part.total && *part.total != *total_) ||
      (part.isPart && !part.validator.empty() && !validator_.empty() && part.validator != validator_);
  connection.validator = std::move(part.validator);
  connection.verifiedAt = spool_->present().presentUntil(part.first);
  connection.opened = connection.lastBytes = now;
  lastBytes_ = now;
  return connection;
}

/// What the first answer says of the file.
Result<void> Downloader::takeOver(const ClipPart &part) {
  if (checksum_.hex.empty())
    checksum_ = part.checksum;
  if (!total_)
    total_ = part.total;
  if (spool_->present().bytes() == 0)
    validator_ = part.validator;
  if (total_ && *total_ > limits_.maximumSize)
    return tl::unexpected(tooLarge(*total_));
  return {};
}

Result<void> Downloader::readHead() {
  auto received = receive(*head_);
  if (!received)
    return headFailed({received.error().cause == TransportError::Cause::Cancelled ? ClipRefusal::Kind::Stopped
                                                                                  : ClipRefusal::Kind::Later,
                       received.error().message,
                       0,
                       {}});
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
  if (line.position + count > limits_.maximumSize)
    return tl::unexpected(tooLarge(line.position + count));
  const uint64_t before = spool_->present().bytes();
  const auto same = spool_->write(line.position, buffer_.data(), count);
  if (!same)
    return tl::unexpected(same.error());
  if (!*same)
    return Received::OtherFile;
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
  callbacks_.progressed(spool_->present().bytes(), total_);
  return Received::Some;
}

/// The clip may be read as soon as it is known where it ends, or that a player does not need to know.
Result<void> Downloader::announce() {
  if (total_ && !spool_->size())
    if (auto set = spool_->setSize(*total_); !set)
      return set;
  if (announced_ || (!total_ && !beginsWithMovie(*spool_)))
    return {};
  announced_ = true;
  callbacks_.arriving();
  return {};
}

/// The body ended before the head's line did, which may have no known end.
Result<void> Downloader::headEnded() {
  const uint64_t length = head_->line.position;
  if (!total_ && length > 0)
    return lengthKnown(length);
  return headFailed({ClipRefusal::Kind::Later,
                     "the transfer ended after " + std::to_string(length) + " bytes" +
                         (total_ ? " of " + std::to_string(*total_) : ""),
                     0,
                     {}});
}

/// A host that tells no length may have cut the file, so it must end with a box, or twice at the same place.
Result<void> Downloader::lengthKnown(uint64_t size) {
  if (!endsWithBox(*spool_, size) && doubtfulLength_ != size) {
    doubtfulLength_ = size;
    return headFailed({ClipRefusal::Kind::Later, "the clip ends within a box", 0, {}});
  }
  total_ = size;
  head_.reset();
  return announce();
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
  total_.reset();
  validator_.clear();
  checksum_ = {};
  doubtfulLength_.reset();
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
  for (uint64_t offset = 0; offset < *total_;) {
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
