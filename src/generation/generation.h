// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "clip/downloader.h"
#include "clip/spool.h"
#include "generation/service_client.h"
#include "generation/settings.h"
#include "generation/status.h"

namespace aimlvideo {

/// What is known of one attempt to buy. It decides whether the same request may be submitted again.
struct Purchase {
  enum class Stage {
    None,  ///< nothing is bought
    Sent,  ///< the submission left; nobody knows whether it was accepted
    Known, ///< bought, under `generationId`
  };
  Stage stage = Stage::None;
  std::string request; ///< SHA-256 over base URL and body: what was bought
  EndpointFamily family = EndpointFamily::Universal;
  std::string clientRequestId;
  std::string generationId;
  std::shared_ptr<Spool> clip; ///< the whole clip where it is still at hand
};

/// How patient the single steps are. The defaults are for the real service.
struct Patience {
  std::chrono::seconds submission{300}; ///< for one POST with up to 67 MB of image
  std::chrono::seconds poll{30};
  unsigned idleConnection = 60; ///< seconds
  RetryPolicy unreachable{std::chrono::milliseconds(1000), std::chrono::seconds(8), 4};
  RetryPolicy turnedAway{std::chrono::milliseconds(2000), std::chrono::seconds(30), 6};
  RetryPolicy polls{std::chrono::milliseconds(1000), std::chrono::seconds(15), 0};
  RetryPolicy downloads{std::chrono::milliseconds(500), std::chrono::seconds(30), 0};
  unsigned unknownIdAnswers = 5; ///< 400 or 404 to polls in a row before the id counts as unknown
};

/// The life of one generation on the thread that calls run(): check, submit once, wait, fetch the clip.
///
/// Money: a submission is repeated only when the service surely did not accept it (no connection, 429, 503, a path
/// that it does not know). No fault of a poll or of the download leads to another submission.
class Generation {
public:
  /// Called on the thread of run(), with no lock held.
  struct Callbacks {
    std::function<void(const Status &)> stateChanged;
    std::function<void(const Status &, const std::string &note)> progressed;
    /// The clip may be read from now on, while it is still being fetched.
    std::function<void(const Status &, const std::shared_ptr<Spool> &)> arriving;
    /// Before and after each step that may cost money. What it is told must be kept for the next run.
    std::function<void(const Purchase &)> purchased;
    std::function<void(const std::string &line)> log;
  };

  /// `earlier` is what an earlier run of the same owner left behind: the same request is then continued, not bought.
  Generation(Settings settings, Purchase earlier, Cancellation &cancellation, Callbacks callbacks,
             Patience patience = {});

  Result<std::shared_ptr<Spool>> run();

  const Status &status() const { return status_; }

private:
  Result<std::shared_ptr<Spool>> carryOut();
  Result<Reply> begin();
  Result<Reply> submit();
  Exchanged<HttpResponse> sendSubmission();
  Result<void> pauseBeforeSubmission(unsigned attempts, const RetryPolicy &policy, const Error &cause,
                                     const Exchanged<HttpResponse> &response);
  Result<Reply> accepted(const HttpResponse &response);
  Result<Reply> waitForCompletion(Reply reply, Clock::time_point firstPoll);
  struct PollFaults;
  Result<Reply> nextReply(Clock::time_point firstPoll);
  Result<std::optional<Reply>> poll(PollFaults &faults);
  Result<std::optional<Reply>> judgePoll(const HttpResponse &response, PollFaults &faults);
  std::chrono::milliseconds pauseBeforePoll();
  Result<std::shared_ptr<Spool>> download(Reply reply);
  void noteBytes(uint64_t received, std::optional<uint64_t> total);
  Result<std::string> freshUrl();

  void enter(State state);
  void note(const std::string &text);
  void noteProgress();
  void takeOver(const Reply &reply);
  void setStage(Purchase::Stage stage);
  void keep(std::shared_ptr<Spool> clip);
  Error notReached(const TransportError &error) const;
  Error unknownOutcome(const std::string &why) const;
  Error deadlinePassed(const std::string &cause) const;
  Error failedGeneration(const Reply &reply) const;
  std::string resumeHint() const;
  Failure finish(Error error) const;

  Settings settings_;
  Patience patience_;
  Purchase purchase_;
  Cancellation &cancellation_;
  Callbacks callbacks_;
  std::minstd_rand random_{std::random_device{}()};

  Status status_;
  Clock::time_point deadline_;
  Clock::time_point lastNote_;
  uint64_t bytesAtLastNote_ = 0;
  Plan plan_;
  std::unique_ptr<HttpSession> session_;
  std::unique_ptr<ServiceClient> client_;
};

} // namespace aimlvideo
