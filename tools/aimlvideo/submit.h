// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <aimlvideo/job.h>
#include <aimlvideo/ledger.h>

#include "background.h"

namespace aimlvideo::cli {

/// What came of a submission.
struct Submitted {
  enum class End {
    Accepted, ///< it is bought, by this run or an earlier one, and its row says so on disk
    Pending,  ///< it was sent, and it is not known yet whether it was accepted
    Failed,
  };
  End end = End::Failed;
  std::optional<LedgerRow> job; ///< its row, if there is one; that of the disk
  Status status;
  std::optional<Error> failure; ///< why it failed, or why it is not known
};

/// Buys a generation and lets it go: ends as soon as the service has accepted it, whoever bought it. From then on the
/// row of the ledger leads whoever asks for the same to it, so nothing is lost with this object or its process. For the
/// main loop's thread.
class Submitter final : JobObserver {
public:
  /// Begins at once. `ended` is called once, from the main loop, and may destroy this.
  Submitter(Settings settings, std::function<void(Submitted)> ended);
  Submitter(const Submitter &) = delete;
  Submitter &operator=(const Submitter &) = delete;
  ~Submitter() override;

  /// Gives up, for good: what has not left does not leave. Where it stands; `ended` is not called any more.
  Submitted interrupt();

private:
  // the job's thread
  void stateChanged(const Status &status) override;
  void completed(const Status &status) override;
  void failed(const Status &status, const Error &error) override;
  void warned(const std::string &text) override;

  void heard(const Status &status);
  void end(Submitted::End how, const Status &status, std::optional<Error> failure);
  void stop();
  std::optional<LedgerRow> rowOnDisk(const Status &status) const;

  const std::string baseUrl_;
  const unsigned timeout_;               ///< seconds, until what stays unknown is given up
  std::function<void(Submitted)> ended_; ///< empty: it has ended
  const std::shared_ptr<Inbox> inbox_ = Inbox::create();
  std::shared_ptr<Job> job_;
  guint patience_ = 0; ///< while the outcome is looked up
};

/// What would make the same submission buy again is refused, and what no request can be made from.
Result<void> checkSubmission(const Settings &settings);

/// Stops jobs, and gives them a moment to write down how far they came: without it a request that has not left would
/// have to be looked up by the next run.
void stopJobs(const std::vector<const std::shared_ptr<Job> *> &jobs);

} // namespace aimlvideo::cli
