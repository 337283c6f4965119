// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>

#include "api/reply.h"
#include "clip/clip_host.h"
#include "generation/run.h"

namespace aimlvideo {

/// The life of one generation, a task of the network thread: check, buy once or resume what is bought, wait, fetch
/// the clip.
///
/// Money: what was bought is read from the ledger and written to it before each step that may cost, so that the same
/// request is bought once whatever breaks. No fault of a poll or of the download leads to another submission.
class Generation {
public:
  /// Called on the network thread, with no lock held.
  struct Callbacks : Narrator::Callbacks {
    /// The row of the ledger that this run goes by: the next run of the same owner is given it.
    std::function<void(int64_t row)> claimed;
    /// The clip may be read from now on, while it is still being fetched.
    std::function<void(const Status &, const std::shared_ptr<Spool> &)> arriving;
  };

  /// `ownRow` is the ledger's row of an earlier run of the same owner, which is resumed whatever `reuse` says; 0:
  /// none. The patience has to live as long.
  Generation(Settings settings, int64_t ownRow, Cancellation &cancellation, const Callbacks &callbacks,
             const Patience &patience = Patience::usual());

  /// The clip; null after a dry run, which has none.
  Task<Result<std::shared_ptr<Spool>>> run();

  /// After run(): what can be done when the clip is already in use, such as its checksum for the ledger.
  Task<void> finishUp();

  const Status &status() const { return run_.narrator.status; }

private:
  /// A step has ended, with all that it needed, before the next one begins: while a generation waits, it holds what the
  /// wait needs.
  enum class Step {
    Check,
    Claim,
    Buy,
    LookUp, ///< a submission has left and nobody knows its outcome
    Await,
    Fetch,
    End,
  };
  /// Each says what comes next.
  Task<Result<Step>> take(Step step);
  Task<Result<Step>> check();
  Task<Result<Step>> goOn();
  Task<Result<Step>> buy();
  Task<Result<Step>> settle();
  Task<Result<Step>> await();
  Task<Result<Step>> fetch();

  Result<void> mayBuy() const;
  Task<Result<void>> askRecipient();
  Task<Result<void>> takeTurn();
  Step awaitFrom(Clock::time_point firstPoll);
  Step awaitUnseen();
  Result<Step> replace(Error lost);
  Error stillUnknown(const Error &why) const;
  Task<Result<std::shared_ptr<Spool>>> download(const std::string &url);
  Task<Result<std::shared_ptr<SpoolFile>>> makeSpool();
  Task<Result<void>> moveFromStore(SpoolFile &spool, const Error &why);
  void leaveStore(const Error &why);
  Task<ClipReach> reach();
  Task<Result<std::string>> freshUrl();
  Task<void> keep(const Spool &clip);
  bool mayReplace(const Error &error) const;
  Failure notInTime(const std::string &what, const std::string &why, const std::string &remedy) const;
  Failure finish(Error error) const;

  Run run_;
  const int64_t ownRow_;
  const std::function<void(const Status &, const std::shared_ptr<Spool> &)> arriving_;
  bool submitted_ = false;   ///< this run has sent a submission
  bool resubmitted_ = false; ///< on-unknown=resubmit was followed, which happens once a run
  bool arrived_ = false;     ///< somebody may be reading the clip
  bool partly_ = false;      ///< not all of the clip is there, and that is what was asked for

  // from one step to the next
  std::unique_ptr<Error> doubt_; ///< why nobody knows the outcome of the submission
  Reply reply_;                  ///< the latest of the service
  Clock::time_point firstPoll_;
  std::shared_ptr<Spool> clip_; ///< null: not yet, or a dry run
};

} // namespace aimlvideo
