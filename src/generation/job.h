// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "base/cancellation.h"
#include "generation/generation.h"

namespace aimlvideo {

/// Hears of a job. Everything is called on the job's thread with no lock held, and nothing once Job::stop() has
/// returned.
class JobObserver {
public:
  virtual ~JobObserver() = default;
  /// A new state; Completed and Failed are told by the two calls below.
  virtual void stateChanged(const Status &status) = 0;
  /// A sign of life; `note` says what happened and may be empty.
  virtual void progressed(const Status &status, const std::string &note) = 0;
  /// The clip may be read from now on. The download goes on and may still fail.
  virtual void arriving(const Status &status, const std::shared_ptr<Spool> &clip) = 0;
  /// All of the clip is there, which arriving() has handed out before; nothing was after a dry run.
  virtual void completed(const Status &status) = 0;
  virtual void failed(const Status &status, const Error &error) = 0;
  virtual void logged(const std::string &line) = 0;
  /// What the user should look at, and what stops nothing.
  virtual void warned(const std::string &) {}
};

/// A generation on a thread of its own.
///
/// The thread owns what it uses, so that stop() never waits for a disk or a stalled server: a thread that can't end
/// at once ends on its own.
class Job {
public:
  /// The observer must live until stop() has returned. Fails when the system gives no thread.
  /// `ownRow`: what row() said of the owner's previous job; 0: there was none.
  static Result<std::shared_ptr<Job>> start(Settings settings, int64_t ownRow, JobObserver &observer,
                                            Patience patience = {});
  Job(const Job &) = delete;
  Job &operator=(const Job &) = delete;
  ~Job();

  /// From any thread, also out of an observer's call, for whose end any other thread waits. Returns at once; may be
  /// called again. What was bought stays bought, and the ledger knows it.
  void stop();

  Status status() const;
  /// The row of the ledger that this job goes by; 0: none yet.
  int64_t row() const;

private:
  Job(JobObserver &observer) : observer_(observer) {}

  void run(Settings settings, int64_t ownRow, const Patience &patience);
  void callOut(const std::function<void()> &call);
  void publish(const Status &status);

  JobObserver &observer_;
  Cancellation cancellation_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopped_ = false;
  bool callingOut_ = false;
  bool done_ = false;
  Status status_;
  int64_t row_ = 0;
  std::thread thread_; ///< until it is joined or left to itself
  std::thread::id runner_;
};

} // namespace aimlvideo
