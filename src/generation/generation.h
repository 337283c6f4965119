// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>

#include "api/job_kind.h"
#include "base/random.h"
#include "clip/clip_store.h"
#include "generation/descriptors.h"
#include "generation/flight.h"
#include "generation/submission.h"
#include "provenance/marked_clip.h"

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

  const Status &status() const { return narrator_.status; }

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
  Task<Result<void>> agreeOnPrice();
  Task<Result<void>> takeTurn();
  Result<Step> replace(Error lost);
  void addToDoubt(const std::string &why);
  std::string makeMark(const LedgerRow &row) const;
  void deliver(std::shared_ptr<Spool> clip);
  void sayIfUnmarked();
  bool mayReplace(const Error &error) const;
  Failure notInTime(const std::string &what, const std::string &why, const std::string &remedy) const;
  Failure finish(Error error) const;

  const Settings settings_;
  const int64_t ownRow_;
  const std::function<void(const Status &, const std::shared_ptr<Spool> &)> arriving_;
  Narrator narrator_;
  std::minstd_rand random_{randomSeed()};
  Context context_;

  // of the checked request
  Plan plan_;
  std::shared_ptr<HttpSession> session_;
  std::unique_ptr<ServiceClient> client_;
  std::optional<ClipStore> store_;                 ///< empty: its folder can't be used
  std::unique_ptr<ReservedDescriptor> descriptor_; ///< until the clip has one

  Purchase purchase_;
  JobKind kind_;
  bool withMedia_ = false;         ///< a picture, video or sound of the user's went with the request
  std::unique_ptr<Flight> flight_; ///< while it counts as one in flight
  unsigned mayHaveBought_ = 0;     ///< submissions of this request that nobody knows the outcome of, for the cap
  bool submitted_ = false;         ///< this run has sent a submission
  bool resubmitted_ = false;       ///< on-unknown=resubmit was followed, which happens once a run
  bool arrived_ = false;           ///< somebody may be reading the clip

  // from one step to the next
  std::unique_ptr<Error> doubt_; ///< why nobody knows the outcome of the submission
  UnderWay underWay_;
  Completion completion_;
  std::shared_ptr<MarkedClip> clip_; ///< null: not yet, or a dry run
};

} // namespace aimlvideo
