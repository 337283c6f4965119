// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/downloader.h"

#include <algorithm>
#include <cassert>
#include <thread>
#include <utility>
#include <vector>

#include "api/reply.h"
#include "base/workers.h"
#include "clip/iso_media.h"

namespace aimlvideo {

using std::chrono::duration;

namespace {

/// Larger blocks are cheaper up to about this size.
constexpr size_t blockSize = 512 * 1024;
/// So much of a clip is written on the network thread, for the first frame.
constexpr uint64_t firstBytes = 64 * 1024;
/// So long does a worker receive and write before other clips, and other readers, have their turn.
constexpr std::chrono::milliseconds turn{10};
/// A fast host is left alone for so long when all that has come is there: fewer and larger pieces cost less.
constexpr std::chrono::microseconds nap{200};
constexpr double fast = 32e6; ///< bytes per second
/// When nothing has come for so long, the worker is given back: the network thread waits for more.
constexpr std::chrono::milliseconds lull{1};
/// So many blocks are kept for the next ones that receive something. What was used a moment ago is in the cache.
constexpr size_t mostSpareBlocks = 4;
/// A connection that brought so much is no failed attempt.
constexpr uint64_t realGain = 64 * 1024;
/// What is received again, and compared, where a host names no version of the file.
constexpr uint64_t mostOverlap = 64 * 1024;
/// So often may a host say that the clip ends where its boxes say that it does not.
constexpr unsigned mostCuts = 4;
/// After so long without a byte, another request is no detour.
constexpr std::chrono::milliseconds silence{300};
/// Who wakes up so much too late is on a busy machine.
constexpr std::chrono::milliseconds late{20};
constexpr uint64_t leastNear = 128 * 1024;
constexpr uint64_t mostNear = 4096 * 1024;

constexpr auto paidFor = "It is paid for and stays at the service";

ClipRefusal refused(ClipRefusal::Kind kind, std::string cause) {
  ClipRefusal refusal;
  refusal.kind = kind;
  refusal.cause = std::move(cause);
  return refusal;
}

/// For the disks that clips are written to: one that is stuck keeps no ledger waiting. Of this process, see
/// Loop::own().
struct SpoolWorkers : Workers {
  SpoolWorkers() : Workers(8) {}
};

template <typename Action>
auto onDisk(const Action &action) {
  return onPool(Loop::instance().own<SpoolWorkers>(), std::cref(action));
}

using SpareBlocks = std::vector<std::unique_ptr<char[]>>;

} // namespace

Downloader::Block Downloader::takeBlock() {
  assert(Loop::instance().isCurrent());
  auto &spare = Loop::instance().own<SpareBlocks>();
  if (spare.empty())
    return Block(new char[blockSize]);
  Block block(spare.back().release());
  spare.pop_back();
  return block;
}

void Downloader::GiveBack::operator()(char *block) const {
  assert(Loop::instance().isCurrent());
  auto &spare = Loop::instance().own<SpareBlocks>();
  std::unique_ptr<char[]> owned(block);
  if (spare.size() < mostSpareBlocks)
    spare.push_back(std::move(owned));
}

Downloader::Downloader(HttpSession &session, Cancellation &cancellation, Limits limits, Callbacks callbacks)
    : host_(session, cancellation, limits.reach),
      cancellation_(cancellation),
      news_(cancellation),
      limits_(limits),
      callbacks_(std::move(callbacks)),
      overlap_(mostOverlap) {}

Task<Result<void>> Downloader::fetch(std::string url, SpoolFile &spool) {
  assert(Loop::instance().isCurrent());
  url_ = std::move(url);
  spool_ = &spool;
  spool.holdEnd();
  auto done = co_await carryOut();
  head_.reset();
  jump_.reset();
  host_.leave();
  if (done)
    co_return co_await verifyChecksum();
  const bool partly = partOnly_ || done.error().kind == ErrorKind::TimedOut;
  co_return limits_.incomplete &&partly ? salvage(done.error()) : done;
}

Task<Result<void>> Downloader::carryOut() {
  for (;;) {
    co_await LetOthersGo();
    seen_ = spool_->facts();
    judgeEnd();
    const Step step = nextStep(spool_->present(), situation());
    if (step.kind == Step::Kind::Done) {
      const auto over = co_await ended();
      if (!over)
        co_return tl::unexpected(over.error());
      if (*over)
        co_return {};
      continue;
    }
    if (const auto done = co_await carryOut(step); !done)
      co_return done;
  }
}

/// A connection whose other end is gone without a word is known by its silence only, and the waits below are too short
/// for the session's own timeout. A jump has a deadline.
Task<Result<void>> Downloader::checkSilence() {
  if (!head_ || Clock::now() - head_->lastBytes < limits_.idle)
    co_return {};
  co_return co_await headFailed(refused(ClipRefusal::Kind::Later, "the clip's host fell silent"));
}

Task<Result<void>> Downloader::carryOut(const Step &step) {
  assert(Loop::instance().isCurrent());
  switch (step.kind) {
  case Step::Kind::ReadHead:
    co_return co_await readHead();
  case Step::Kind::ReadJump:
    co_return co_await readJump();
  case Step::Kind::OpenHead:
    co_return co_await openHead(step);
  case Step::Kind::OpenJump:
    co_return co_await openJump(step);
  case Step::Kind::Done:
    break;
  }
  co_return {};
}

Situation Downloader::situation() const {
  Situation now;
  now.size = seen_.size;
  if (head_)
    now.head = head_->line;
  if (jump_)
    now.jump = jump_->line;
  now.demand = seen_.demand;
  now.lastAsked = seen_.lastAsked;
  now.parts = parts_;
  now.jumps = Clock::now() >= nextJump_;
  now.near = bytesSoonerThanAnAnswer();
  now.lastJumpEnd = lastJumpEnd_;
  return now;
}

uint64_t Downloader::bytesSoonerThanAnAnswer() const {
  if (silent_)
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

Task<Result<void>> Downloader::openHead(const Step &step) {
  head_.reset();
  if (!co_await host_.enter(url_, limits_.deadline))
    co_return co_await headFailed(
        refused(cancellation_.cancelled() ? ClipRefusal::Kind::Stopped : ClipRefusal::Kind::Later,
                "too many other clips of its host were being fetched"));
  ClipHost::Wanted wanted;
  wanted.asPart = parts_;
  if (parts_) {
    wanted.first = step.first - overlapBefore(step.first);
    wanted.end = step.end < spool_->size().value_or(0) ? step.end : UINT64_MAX;
    wanted.validator = wanted.first > 0 ? validator_ : "";
  }
  const auto asked = Clock::now();
  auto part = co_await host_.open(url_, wanted, limits_.deadline);
  if (!part)
    co_return co_await headFailed(part.error());
  // a host that once sends a whole file instead of a part is not asked for parts again
  parts_ = part->isPart || (wanted.first == 0 && part->mayDoParts);
  head_ = connect(std::move(*part), asked);
  // a page in place of the file is recognised by its first bytes, before its length
  if (head_->otherFile && head_->line.position > 0)
    co_return co_await otherFile();
  const Line &line = head_->line;
  if (head_->otherFile || !spool_->size() || spool_->present().presentUntil(line.position) < line.end)
    co_return {};
  // a host that sends shorter parts than it is asked for is asked on, and for less of what is there
  overlap_ = std::min(overlap_, (line.end - line.position) / 2);
  co_return co_await headFailed(refused(ClipRefusal::Kind::Later, "the clip's host sends nothing new"));
}

Task<Result<void>> Downloader::openJump(const Step &step) {
  jump_.reset();
  const auto asked = Clock::now();
  const ClipHost::Wanted wanted{step.first, step.end, true, validator_};
  auto part = co_await host_.open(url_, wanted, std::min(limits_.deadline, asked + limits_.jump));
  if (!part)
    co_return co_await jumpFailed(part.error());
  Connection connection = connect(std::move(*part), asked);
  if (connection.line.position != step.first || connection.otherFile)
    co_return co_await jumpFailed(
        refused(ClipRefusal::Kind::WrongPart, "the host sent all of the clip instead of a part"));
  lastJumpEnd_ = connection.line.end;
  jump_ = std::move(connection);
  co_return {};
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
  noteBytes();
  return connection;
}

/// What an answer says of the file, once its first bytes have shown that they are the clip's: a page has a length too.
Task<Result<void>> Downloader::learnFrom(const Connection &connection) {
  if (connection.presentBefore == 0 && validator_.empty())
    validator_ = connection.validator;
  if (checksum_.hex.empty())
    checksum_ = connection.checksum;
  if (spool_->size() || !connection.total)
    co_return {};
  co_return co_await setSize(*connection.total);
}

/// Goes on from what has taken room on the disk: does it again where there was none and another place for the spool is
/// found.
template <typename Action>
Task<std::invoke_result_t<Action>> Downloader::withRoom(std::invoke_result_t<Action> done, const Action &action) {
  if (done || done.error().kind != ErrorKind::NoSpace || !callbacks_.diskFull)
    co_return done;
  if (auto moved = co_await callbacks_.diskFull(done.error()); !moved)
    co_return tl::unexpected(std::move(moved.error()));
  co_return co_await onDisk(action);
}

Task<Result<void>> Downloader::setSize(uint64_t size) {
  const auto set = [this, size] {
    return spool_->setSize(size);
  };
  auto done = co_await onDisk(set);
  co_return co_await withRoom(std::move(done), set);
}

Task<Result<void>> Downloader::readHead() {
  auto received = co_await receive(*head_);
  if (!received)
    co_return co_await headBroke(received.error());
  if (!*received)
    co_return tl::unexpected(std::move(received->error()));
  switch (**received) {
  case Received::Nothing:
    co_return co_await waitFor(*head_);
  case Received::Page:
    co_return co_await page();
  case Received::OtherFile:
    co_return co_await otherFile();
  case Received::End:
    co_return co_await headEnded();
  case Received::Some:
    break;
  }
  if (head_->line.position >= head_->verifiedAt)
    validator_ = head_->validator;
  if (head_->line.position == head_->line.end)
    head_.reset();
  co_return {};
}

/// Where no length was announced, even an improper end may be the end.
Task<Result<void>> Downloader::headBroke(const TransportError &error) {
  const uint64_t position = head_->line.position;
  const bool again = error.cause == TransportError::Cause::Lost && !spool_->size() && position > 0 &&
                     position == spool_->present().bytes() && std::exchange(brokeAt_, position) == position;
  if (again && wholenessOf(*spool_, position).wholeness != Wholeness::Unclear)
    co_return co_await lengthKnown(position);
  const bool stopped = error.cause == TransportError::Cause::Cancelled;
  co_return co_await headFailed(
      refused(stopped ? ClipRefusal::Kind::Stopped : ClipRefusal::Kind::Later, error.message));
}

Task<Result<void>> Downloader::readJump() {
  auto received = co_await receive(*jump_);
  if (!received) {
    const bool stopped = received.error().cause == TransportError::Cause::Cancelled;
    co_return co_await jumpFailed(
        refused(stopped ? ClipRefusal::Kind::Stopped : ClipRefusal::Kind::Later, received.error().message));
  }
  if (!*received)
    co_return tl::unexpected(std::move(received->error()));
  if (**received == Received::Nothing)
    co_return co_await waitFor(*jump_);
  if (**received == Received::OtherFile)
    co_return co_await otherFile();
  if (**received != Received::Some)
    co_return co_await jumpFailed(refused(ClipRefusal::Kind::Later, "a part of the clip ended early"));
  jumpFailures_ = 0;
  if (jump_->line.position == jump_->line.end) {
    // its end frees the connection for the next request; libsoup reads trailers into this block too
    const Block block = takeBlock();
    (void)co_await jump_->stream->read(block.get(), blockSize);
    jump_.reset();
  }
  co_return {};
}

/// Takes what has come from a connection into the spool.
Task<Exchanged<Result<Downloader::Received>>> Downloader::receive(Connection &connection) {
  if (mayTransfer(connection)) {
    if (auto some = co_await transfer(connection); !connection.stopped || !some || *some != Received::Nothing)
      co_return some;
  }
  Block block = takeBlock();
  const auto now = receiveInto(block.get(), connection);
  if (!now)
    co_return Received::Nothing;
  noteBytes();
  const Exchanged<size_t> &count = *now;
  if (!count)
    co_return tl::unexpected(count.error());
  const std::string_view body(block.get(), *count);
  if (connection.line.position == 0 && *count > 0 && !looksLikeVideo(body)) {
    page_ = looksLikeText(body) ? "a text instead of a video: " + serviceMessage(body.substr(0, bytesThatTell))
                                : "something that is not a video";
    co_return Received::Page;
  }
  if (connection.otherFile)
    co_return Received::OtherFile;
  if (*count == 0)
    co_return Received::End;
  co_return co_await store(connection, block.get(), *count);
}

/// Whether all that is left to do for some time is to receive and to write. What comes with the end is for the network
/// thread, where libsoup looks at it.
bool Downloader::mayTransfer(const Connection &connection) const {
  const Line &line = connection.line;
  return connection.known && announced_ && !connection.stopped && !cancellation_.cancelled() &&
         line.position >= firstBytes && line.end <= limits_.maximumSize && line.end - line.position > 1;
}

/// Has a worker receive and write what has come, but for the last byte: no disk keeps the network thread waiting, and
/// what was received is written by the same processor.
Task<Result<Downloader::Received>> Downloader::transfer(Connection &connection) {
  Line &line = connection.line;
  const uint64_t first = line.position;
  const uint64_t before = spool_->present().bytes();
  const Block block = takeBlock();
  size_t count = 0;
  const auto write = [&]() -> Result<bool> {
    auto same = spool_->write(line.position, block.get(), count);
    if (same && *same)
      line.position += count;
    return same;
  };
  const auto receiveAndWrite = [&]() -> Result<bool> {
    const auto latest = Clock::now() + turn;
    auto latestBytes = Clock::now();
    while (mayTransfer(connection) && Clock::now() < latest) {
      const auto now = receiveInto(block.get(), connection);
      if (!now && bytesPerSecond_ > fast && Clock::now() - latestBytes < lull) {
        std::this_thread::sleep_for(nap);
        continue;
      }
      if (!now || !*now)
        break;
      count = **now;
      if (auto done = write(); !done || !*done)
        return done;
      latestBytes = Clock::now();
    }
    return true;
  };
  auto same = co_await onDisk(receiveAndWrite);
  same = co_await withRoom(std::move(same), write);
  if (!same)
    co_return tl::unexpected(std::move(same.error()));
  if (!*same)
    co_return Received::OtherFile;
  if (line.position == first)
    co_return Received::Nothing;
  noteStored(connection, line.position - first, before);
  co_return Received::Some;
}

void Downloader::noteBytes() {
  emptySince_.reset();
  silent_ = false;
}

/// Receives until a block is full or nothing more has come. Empty: nothing has, or too little of the start of a file
/// to tell what it is.
std::optional<Exchanged<size_t>> Downloader::receiveInto(char *block, Connection &connection) {
  const Line &line = connection.line;
  // up to a multiple of its size, which the file system writes in larger pieces
  const uint64_t most = line.position < firstBytes ? firstBytes - line.position : blockSize - line.position % blockSize;
  const uint64_t left = line.end - line.position - (mayTransfer(connection) ? 1 : 0);
  const auto wanted = static_cast<size_t>(std::min(most, left));
  const size_t least = line.position == 0 ? std::min(bytesThatTell, wanted) : 1;
  auto &stopped = connection.stopped;
  size_t filled = std::exchange(connection.start, {}).copy(block, wanted);
  while (filled < wanted && !stopped) {
    const auto count = connection.stream->readNow(block + filled, wanted - filled);
    if (!count)
      break;
    if (*count && **count > 0)
      filled += **count;
    else
      stopped = count;
  }
  if (filled >= least || (filled > 0 && stopped && *stopped))
    return filled;
  if (!stopped)
    connection.start.assign(block, filled);
  return stopped;
}

/// Waits for bytes. A reader may meanwhile want something that this connection does not bring.
Task<Result<void>> Downloader::waitFor(Connection &connection) {
  emptySince_ = emptySince_.value_or(Clock::now());
  // not by the time alone: on a busy machine, it is this process that may have been silent
  if (!silent_ && Clock::now() - *emptySince_ >= silence) {
    silent_ = true;
    co_return {};
  }
  const Line line = connection.line;
  const uint64_t near = std::min(line.end - line.position, bytesSoonerThanAnAnswer() + 1);
  if (!spool_->tellOfReaders(line.position, line.position + near, seen_, news_.waker()))
    co_return {};
  const auto latest = Clock::now() + silence;
  const bool readable = co_await connection.stream->waitUntilReadable(news_, latest);
  spool_->tellNobody();
  if (readable)
    co_return {};
  if (Clock::now() - latest > late) // this machine was busy: it may have kept the host from sending as well
    emptySince_.reset();
  co_return co_await checkSilence();
}

Task<Result<Downloader::Received>> Downloader::store(Connection &connection, const char *block, size_t count) {
  Line &line = connection.line;
  if (const uint64_t least = std::max(line.position + count, connection.total.value_or(0)); least > limits_.maximumSize)
    co_return tl::unexpected(tooLarge(least));
  const uint64_t before = spool_->present().bytes();
  const auto write = [&] {
    return spool_->write(line.position, block, count);
  };
  Result<bool> same = true;
  if (line.position < firstBytes)
    same = write();
  else
    same = co_await onDisk(write);
  same = co_await withRoom(std::move(same), write);
  if (!same)
    co_return tl::unexpected(std::move(same.error()));
  if (!*same)
    co_return Received::OtherFile;
  connection.known = true;
  if (auto learned = co_await learnFrom(connection); !learned)
    co_return tl::unexpected(std::move(learned.error()));
  line.position += count;
  noteStored(connection, count, before);
  if (auto announced = announce(); !announced)
    co_return tl::unexpected(std::move(announced.error()));
  co_return Received::Some;
}

/// `count` bytes of a connection are in the spool, which had `before` bytes.
void Downloader::noteStored(Connection &connection, uint64_t count, uint64_t before) {
  noteBytes();
  connection.received += count;
  connection.lastBytes = Clock::now();
  const double seconds = duration<double>(connection.lastBytes - connection.opened).count();
  if (seconds > 0)
    bytesPerSecond_ = static_cast<double>(connection.received) / seconds;
  const uint64_t now = spool_->present().bytes();
  gained_ += now - before;
  pages_ = 0;
  callbacks_.progressed(now, spool_->size());
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
Task<Result<void>> Downloader::headEnded() {
  const uint64_t length = head_->line.position;
  const auto size = spool_->size();
  if (!size && length > 0)
    co_return co_await lengthKnown(length);
  if (head_->received > 0 && spool_->present().bytes() == head_->presentBefore)
    overlap_ = std::min(overlap_, head_->received / 2);
  std::string why = "the transfer ended after " + std::to_string(length) + " bytes";
  if (size)
    why += " of " + std::to_string(*size);
  co_return co_await headFailed(refused(ClipRefusal::Kind::Later, std::move(why)));
}

/// A host that tells no length may have cut the file, so it must be whole by its boxes; where these don't tell, or more
/// of them could follow, it must end twice at the same place.
Task<Result<void>> Downloader::lengthKnown(uint64_t size) {
  const auto finding = wholenessOf(*spool_, size);
  if (finding.wholeness == Wholeness::Cut)
    co_return co_await cutShort(size, finding.why);
  const bool doubtful = finding.wholeness == Wholeness::Unclear || finding.mayGoOn;
  if (doubtful && std::exchange(doubtfulLength_, size) != size)
    co_return co_await headFailed(refused(ClipRefusal::Kind::Later, "the clip may end early"));
  head_.reset();
  if (auto set = co_await setSize(size); !set)
    co_return set;
  co_return announce();
}

/// A reader asks for the clip's end, which is held as long as what is there shows that it must be elsewhere.
void Downloader::judgeEnd() {
  if (!seen_.endWanted)
    return;
  const Wholeness wholeness = wholenessOf(*spool_, spool_->size().value_or(0)).wholeness;
  if (wholeness == Wholeness::Whole)
    spool_->releaseEnd();
  else if (wholeness == Wholeness::Unclear)
    spool_->tellEnd();
}

/// All is there that the host speaks of. False: its boxes speak of more, and it is asked once more.
Task<Result<bool>> Downloader::ended() {
  const uint64_t size = spool_->size().value_or(0);
  if (const auto finding = wholenessOf(*spool_, size); finding.wholeness == Wholeness::Cut) {
    if (auto again = co_await cutShort(size, finding.why); !again)
      co_return tl::unexpected(std::move(again.error()));
    co_return false;
  }
  spool_->releaseEnd();
  co_return true;
}

/// The host ends the clip where it can't end. Another attempt may find all of it, a few in vain tell that the host has
/// no more.
Task<Result<void>> Downloader::cutShort(uint64_t size, const std::string &why) {
  jump_.reset();
  checksum_ = {}; // perhaps of what was cut
  if (size > cutAt_) {
    cutAt_ = size;
    cuts_ = 0;
  }
  if (++cuts_ < mostCuts && spool_->forgetSize())
    co_return co_await headFailed(refused(ClipRefusal::Kind::Later, "the clip is not whole: " + why));
  partOnly_ = true;
  co_return failure(ErrorKind::BadAnswer, "the clip that its host has is not whole",
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

Task<Result<void>> Downloader::page() {
  const std::string words = "the clip's host sent " + page_;
  if (++pages_ > 1)
    co_return failure(ErrorKind::BadAnswer, "the clip can't be used", words,
                      std::string(paidFor) + ": try again later");
  co_return co_await headFailed(refused(ClipRefusal::Kind::LinkRefused, words));
}

/// The host's file is not the one that the spool has begun.
Task<Result<void>> Downloader::otherFile() {
  const auto cleared = spool_->clear();
  if (!cleared)
    co_return tl::unexpected(cleared.error());
  if (!*cleared)
    co_return failure(ErrorKind::BadAnswer, "the clip can't be played to its end",
                      "the file at its host has changed since the download began",
                      "Play it again: it is paid for and will be fetched again");
  jump_.reset();
  validator_.clear();
  checksum_ = {};
  doubtfulLength_.reset();
  brokeAt_.reset();
  co_return co_await headFailed(refused(ClipRefusal::Kind::Later, "the clip's host changed the file"));
}

/// Decides whether and when there is another attempt.
Task<Result<void>> Downloader::headFailed(const ClipRefusal &refusal) {
  head_.reset();
  if (refusal.kind == ClipRefusal::Kind::Stopped)
    co_return failure(ErrorKind::Cancelled, "the download was stopped");
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
    co_return outOfTime();
  callbacks_.retrying(cause_);
  if (pause > std::chrono::milliseconds(0))
    host_.leave();
  if (!co_await cancellation_.sleepUntil(next))
    co_return failure(ErrorKind::Cancelled, "the download was stopped");
  if (refusal.kind == ClipRefusal::Kind::LinkRefused)
    co_return co_await renewLink();
  co_return {};
}

Failure Downloader::outOfTime() const {
  auto error = failure(ErrorKind::TimedOut, "the clip could not be fetched before the deadline", cause_, paidFor);
  error.value().httpStatus = httpStatus_;
  return error;
}

/// The head goes on meanwhile, so nothing waits here.
Task<Result<void>> Downloader::jumpFailed(const ClipRefusal &refusal) {
  jump_.reset();
  lastJumpEnd_ = 0;
  if (refusal.kind == ClipRefusal::Kind::Stopped)
    co_return failure(ErrorKind::Cancelled, "the download was stopped");
  if (refusal.kind == ClipRefusal::Kind::WrongPart) {
    parts_ = false;
    co_return {};
  }
  ++jumpFailures_;
  nextJump_ = Clock::now() + limits_.retries.pauseBefore(jumpFailures_ + 1, refusal.retryAfter, random_);
  callbacks_.retrying(refusal.cause);
  if (refusal.kind == ClipRefusal::Kind::LinkRefused)
    co_return co_await renewLink();
  co_return {};
}

Task<Result<void>> Downloader::renewLink() {
  auto fresh = co_await callbacks_.freshUrl();
  // what was wrong with the clip says more than that time was up when its link was asked for once more
  if (!fresh && fresh.error().kind == ErrorKind::TimedOut && !cause_.empty()) {
    if (!fresh.error().why.empty())
      cause_ += "; another link was not had: " + fresh.error().why;
    co_return outOfTime();
  }
  if (!fresh)
    co_return tl::unexpected(std::move(fresh.error()));
  url_ = std::move(*fresh);
  parts_ = true; // it may be another host
  co_return {};
}

Error Downloader::tooLarge(uint64_t size) const {
  return failure(ErrorKind::TooLarge, "the clip is too large",
                 "it has " + std::to_string(size) + " bytes or more, max-clip-size allows " +
                     std::to_string(limits_.maximumSize),
                 std::string(paidFor) + ": raise max-clip-size")
      .value();
}

Task<Result<void>> Downloader::verifyChecksum() const {
  if (checksum_.hex.empty())
    co_return {};
  co_return co_await onPool([this] { return compareChecksum(); });
}

Result<void> Downloader::compareChecksum() const {
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
