// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/job.h>

#include <condition_variable>
#include <functional>
#include <mutex>

#include "generation/generation.h"
#include "ledger/lock_file.h"

namespace aimlvideo {

class Job::Inside {
public:
  Inside(JobObserver &observer, int64_t ownRow) : observer_(observer), row_(ownRow) { status_.started = Clock::now(); }

  static Task<void> run(std::shared_ptr<Job> job, Settings settings, Patience patience);
  void stop();
  Status status() const;
  int64_t row() const;

private:
  Generation::Callbacks callbacks();
  void callOut(const std::function<void()> &call);
  void publish(const Status &status);

  JobObserver &observer_;
  const ProcessMark process_;
  Cancellation cancellation_;

  mutable std::mutex mutex_; ///< guards what follows
  std::condition_variable calledOut_;
  bool stopped_ = false;
  bool callingOut_ = false;
  Status status_;
  int64_t row_;
};

std::shared_ptr<Job> Job::start(Settings settings, int64_t ownRow, JobObserver &observer) {
  return start(std::move(settings), ownRow, observer, Patience());
}

std::shared_ptr<Job> Job::start(Settings settings, int64_t ownRow, JobObserver &observer, const Patience &patience) {
  const std::shared_ptr<Job> job(new Job(std::make_unique<Inside>(observer, ownRow)));
  Loop::instance().post([job = job, settings = std::move(settings), patience]() mutable {
    detach(Inside::run(std::move(job), std::move(settings), patience));
  });
  return job;
}

Job::Job(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}

Job::~Job() = default;

Generation::Callbacks Job::Inside::callbacks() {
  Generation::Callbacks callbacks;
  callbacks.stateChanged = [this](const Status &status) {
    publish(status);
    if (status.state != State::Completed && status.state != State::Failed && status.state != State::Cancelled)
      callOut([&] { observer_.stateChanged(status); });
  };
  callbacks.progressed = [this](const Status &status, const std::string &note) {
    publish(status);
    callOut([&] { observer_.progressed(status, note); });
  };
  callbacks.arriving = [this](const Status &status, const std::shared_ptr<Spool> &clip) {
    publish(status);
    callOut([&] { observer_.arriving(status, clip); });
  };
  callbacks.claimed = [this](int64_t row) {
    const std::lock_guard lock(mutex_);
    row_ = row;
  };
  callbacks.warned = [this](const std::string &text) {
    callOut([&] { observer_.warned(text); });
  };
  callbacks.log = [this](const std::string &line) {
    callOut([&] { observer_.logged(line); });
  };
  return callbacks;
}

Task<void> Job::Inside::run(std::shared_ptr<Job> job, Settings settings, Patience patience) {
  Inside &self = *job->inside_;
  Generation generation(std::move(settings), self.row(), self.cancellation_, self.callbacks(), patience);
  const auto clip = co_await generation.run();
  if (!clip)
    (void)co_await self.cancellation_.sleepUntil(generation.status().started + patience.firstFailure);
  self.callOut([&] {
    if (clip)
      self.observer_.completed(generation.status());
    else if (clip.error().kind != ErrorKind::Cancelled)
      self.observer_.failed(generation.status(), clip.error());
  });
  if (clip && *clip)
    co_await generation.finishUp();
}

void Job::Inside::callOut(const std::function<void()> &call) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_)
      return;
    callingOut_ = true;
  }
  call();
  {
    const std::lock_guard lock(mutex_);
    callingOut_ = false;
  }
  calledOut_.notify_all();
}

void Job::Inside::publish(const Status &status) {
  const std::lock_guard lock(mutex_);
  status_ = status;
}

void Job::Inside::stop() {
  if (!process_.isOurs())
    return; // it is the parent's, whose threads would have to be waited for here
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  cancellation_.cancel();
  if (Loop::instance().isCurrent())
    return;
  std::unique_lock lock(mutex_);
  calledOut_.wait(lock, [this] { return !callingOut_; });
}

Status Job::Inside::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

int64_t Job::Inside::row() const {
  const std::lock_guard lock(mutex_);
  return row_;
}

void Job::stop() {
  inside_->stop();
}

Status Job::status() const {
  return inside_->status();
}

int64_t Job::row() const {
  return inside_->row();
}

} // namespace aimlvideo
