// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>

#include "clip/clip_host.h"
#include "generation/run.h"

namespace aimlvideo {

struct Claim;

/// The life of one generation, a task of the network thread: check, buy once or go on with what is bought, wait, fetch
/// the clip.
///
/// Money: what was bought is read from the ledger and written to it before each step that may cost, so that the same
/// request is bought once whatever breaks. No fault of a poll or of the download leads to another submission.
class Generation {
public:
  /// Called on the network thread, with no lock held.
  struct Callbacks : Narrator::Callbacks {
    /// The row of the ledger that this run goes by: the next run of the same owner is told it.
    std::function<void(int64_t row)> claimed;
    /// The clip may be read from now on, while it is still being fetched.
    std::function<void(const Status &, const std::shared_ptr<Spool> &)> arriving;
  };

  /// `ownRow` is the ledger's row of an earlier run of the same owner, which is gone on with whatever `reuse` says; 0:
  /// none.
  Generation(Settings settings, int64_t ownRow, Cancellation &cancellation, Callbacks callbacks,
             const Patience &patience = {});

  /// The clip; null after a dry run, which has none.
  Task<Result<std::shared_ptr<Spool>>> run();

  /// After run(): what can be done when the clip is already in use, such as its checksum for the ledger.
  Task<void> finishUp();

  const Status &status() const { return run_.narrator.status; }

private:
  Task<Result<std::shared_ptr<Spool>>> carryOut();
  Task<Result<std::shared_ptr<Spool>>> goOn(Claim claim);
  Task<Result<std::shared_ptr<Spool>>> buy();
  Task<Result<void>> takeTurn();
  Task<Result<std::shared_ptr<Spool>>> settle(Error why);
  Error stillUnknown(const Error &why) const;
  Task<Result<std::shared_ptr<Spool>>> await(Reply reply, Clock::time_point firstPoll);
  Task<Result<std::shared_ptr<Spool>>> fetch(const Reply &reply);
  Task<Result<std::shared_ptr<Spool>>> download(const std::string &url);
  Result<std::shared_ptr<SpoolFile>> makeSpool();
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
  Callbacks callbacks_;
  bool submitted_ = false;   ///< this run has sent a submission
  bool resubmitted_ = false; ///< on-unknown=resubmit was followed, which happens once a run
  bool arriving_ = false;    ///< somebody may be reading the clip
  bool partly_ = false;      ///< not all of the clip is there, and that is what was asked for
};

} // namespace aimlvideo
