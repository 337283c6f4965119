// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <type_traits>

#include "base/random.h"
#include "clip/clip_host.h"
#include "clip/download_plan.h"
#include "clip/spool.h"
#include "http/retry.h"
#include "http/session.h"

namespace aimlvideo {

/// Fetches a clip that is paid for: it is given up only at the deadline, or when no further attempt can help.
///
/// One connection, the head, brings the clip from its start on. For a reader who waits for another place a second one,
/// a jump, brings a short part. A broken transfer goes on where it broke when the host can vouch that it still holds
/// the same file; what is received twice is compared. So a host that changes the file is noticed, and no clip is made
/// of two.
///
/// For the network thread. Workers receive and write nearly all of it, so that no disk keeps the network thread from
/// the others on it.
class Downloader {
public:
  struct Limits {
    uint64_t maximumSize = 8ULL << 30; ///< bytes
    ClipReach reach = ClipReach::Public;
    Clock::time_point deadline;
    RetryPolicy retries{std::chrono::milliseconds(500), std::chrono::seconds(30), 0};
    std::chrono::milliseconds jump{20'000}; ///< for one jump; the head goes on after that
    std::chrono::milliseconds idle{60'000}; ///< a head that brings nothing for so long is lost
    bool incomplete = false;                ///< what there is will do in the end, where all of it can't be had
  };

  /// Called on the network thread.
  struct Callbacks {
    /// The link was refused (401, 403, 404, 410): asks the service for the present one.
    std::function<Task<Result<std::string>>()> freshUrl;
    /// The clip may be read from now on. Called once: its first bytes are a video's, and its size is known, unless the
    /// host does not tell it and a player can begin without.
    std::function<void()> arriving;
    std::function<void(uint64_t received, std::optional<uint64_t> total)> progressed;
    /// An attempt failed and another will follow.
    std::function<void(const std::string &why)> retrying;
    /// The disk is full: finds another place for the spool, or says why not. Empty: there is none.
    std::function<Task<Result<void>>(const Error &why)> diskFull;
  };

  Downloader(HttpSession &session, Cancellation &cancellation, Limits limits, Callbacks callbacks);

  /// Fills the spool with the whole clip. Returns when it is there, whole by its own boxes and, where its host names a
  /// checksum, right.
  Task<Result<void>> fetch(std::string url, SpoolFile &spool);

  /// The host has, time and again, not all of the clip that its boxes speak of.
  bool hostHasPartOnly() const { return partOnly_; }
  /// Limits::incomplete: why not all of the clip is there; empty: it is.
  const std::string &incomplete() const { return incomplete_; }

private:
  Task<Result<void>> carryOut();
  Task<Result<void>> carryOut(const Step &step);
  /// Memory to receive into, shared by all downloads.
  struct GiveBack {
    void operator()(char *block) const;
  };
  using Block = std::unique_ptr<char, GiveBack>;
  static Block takeBlock();

  struct Connection {
    std::unique_ptr<HttpSession::Stream> stream;
    Line line;
    std::string validator; ///< of the file that it brings
    std::optional<uint64_t> total;
    ClipChecksum checksum;
    bool otherFile = false;                   ///< by its head, it brings another file than the spool has
    uint64_t verifiedAt = 0;                  ///< from here on, all that the spool had before was found to be the same
    bool known = false;                       ///< its first bytes have shown that it brings the clip
    std::string start;                        ///< bytes that do not tell yet what file this is
    std::optional<Exchanged<size_t>> stopped; ///< the end or the error that came behind the latest bytes
    uint64_t received = 0;
    uint64_t presentBefore = 0; ///< bytes in the spool when it was opened
    Clock::time_point opened;
    Clock::time_point lastBytes;
  };

  Situation situation() const;
  uint64_t bytesSoonerThanAnAnswer() const;

  Task<Result<void>> checkSilence();
  Task<Result<void>> openHead(const Step &step);
  Task<Result<void>> openJump(const Step &step);
  uint64_t overlapBefore(uint64_t offset) const;
  Connection connect(ClipPart part, Clock::time_point asked);

  Task<Result<void>> readHead();
  Task<Result<void>> readJump();
  enum class Received { Some, Nothing, End, Page, OtherFile };
  Task<Exchanged<Result<Received>>> receive(Connection &connection);
  std::optional<Exchanged<size_t>> receiveInto(char *block, Connection &connection);
  Task<Result<void>> waitFor(Connection &connection);
  bool mayTransfer(const Connection &connection) const;
  Task<Result<Received>> transfer(Connection &connection);
  Task<Result<Received>> store(Connection &connection, const char *block, size_t count);
  void noteBytes();
  void noteStored(Connection &connection, uint64_t count, uint64_t before);
  Task<Result<void>> learnFrom(const Connection &connection);
  template <typename Action>
  Task<std::invoke_result_t<Action>> withRoom(std::invoke_result_t<Action> done, const Action &action);
  Task<Result<void>> setSize(uint64_t size);
  Task<Result<void>> headEnded();
  Task<Result<void>> headBroke(const TransportError &error);
  Task<Result<void>> lengthKnown(uint64_t size);
  Result<void> announce();
  void judgeEnd();
  Task<Result<bool>> ended();
  Task<Result<void>> cutShort(uint64_t size, const std::string &why);
  Result<void> salvage(const Error &why);

  Task<Result<void>> page();
  Task<Result<void>> otherFile();
  Task<Result<void>> headFailed(const ClipRefusal &refusal);
  Failure outOfTime() const;
  Task<Result<void>> jumpFailed(const ClipRefusal &refusal);
  Task<Result<void>> renewLink();
  Error tooLarge(uint64_t size) const;
  Task<Result<void>> verifyChecksum() const;
  Result<void> compareChecksum() const;

  ClipHost host_;
  Cancellation &cancellation_;
  Waiter news_; ///< woken when another reader begins to wait
  Limits limits_;
  Callbacks callbacks_;
  std::minstd_rand random_{randomSeed()};

  std::string url_;
  SpoolFile *spool_ = nullptr;
  SpoolFile::Facts seen_; ///< of the spool, at the latest step
  std::optional<Connection> head_;
  std::optional<Connection> jump_;

  std::string validator_; ///< strong ETag of the file in the spool; empty: the host gave none
  ClipChecksum checksum_;
  bool parts_ = true; ///< the host sends parts
  bool announced_ = false;

  std::string cause_; ///< of the latest failure
  unsigned httpStatus_ = 0;
  unsigned failures_ = 0; ///< in a row, of the head
  uint64_t gained_ = 0;   ///< bytes since the latest failure
  unsigned jumpFailures_ = 0;
  Clock::time_point nextJump_; ///< not before
  uint64_t lastJumpEnd_ = 0;
  unsigned pages_ = 0; ///< bodies that are no video, in a row
  std::string page_;   ///< what the latest was
  std::optional<uint64_t> doubtfulLength_;
  std::optional<uint64_t> brokeAt_; ///< where a transfer without a length did
  uint64_t overlap_;                ///< see overlapBefore()
  uint64_t cutAt_ = 0;              ///< the greatest size at which a host has ended the clip too early
  unsigned cuts_ = 0;               ///< how often, there
  bool partOnly_ = false;
  std::string incomplete_;
  std::optional<Clock::duration> answerTime_;
  double bytesPerSecond_ = 0;
  std::optional<Clock::time_point> emptySince_; ///< since when nothing more had come, whenever that was looked at
  bool silent_ = false;                         ///< it was so for long, see `silence`
};

} // namespace aimlvideo
