// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/job.h>

#include <functional>

#include "base/log.h"
#include "base/mutex.h"
#include "generation/generation.h"
#include "ledger/lock_file.h"

namespace aimlvideo {

class Job::Inside {
public:
  Inside(JobObserver &observer, int64_t ownRow, std::unique_ptr<const Patience> patience)
      : observer_(observer), ownPatience_(std::move(patience)), row_(ownRow) {
    status_.started = Clock::now();
  }

  static std::shared_ptr<Job> start(Settings settings, std::unique_ptr<Inside> inside);
  void stop() EXCLUDES(mutex_);
  Status status() const EXCLUDES(mutex_);
  int64_t row() const EXCLUDES(mutex_);

private:
  static Task<void> run(std::shared_ptr<Job> job, std::unique_ptr<Generation> generation);
  const Patience &patience() const { return ownPatience_ ? *ownPatience_ : Patience::usual(); }
  Generation::Callbacks callbacks();
  void callOut(const std::function<void()> &call) EXCLUDES(mutex_);
  void publish(const Status &status) EXCLUDES(mutex_);

  JobObserver &observer_;
  const ProcessMark process_;
  const std::unique_ptr<const Patience> ownPatience_; ///< null: the usual one
  Cancellation cancellation_;

  mutable Mutex mutex_;
  Condition calledOut_;
  bool stopped_ GUARDED_BY(mutex_) = false;
  bool callingOut_ GUARDED_BY(mutex_) = false;
  Status status_ GUARDED_BY(mutex_);
  int64_t row_ GUARDED_BY(mutex_);
};

void JobObserver::logged(LogLevel level, const std::string &line) {
  log(level, line);
}

std::shared_ptr<Job> Job::start(Settings settings, int64_t ownRow, JobObserver &observer) {
  return Inside::start(std::move(settings), std::make_unique<Inside>(observer, ownRow, nullptr));
}

std::shared_ptr<Job> Job::start(Settings settings, int64_t ownRow, JobObserver &observer, const Patience &patience) {
  return Inside::start(std::move(settings),
                       std::make_unique<Inside>(observer, ownRow, std::make_unique<const Patience>(patience)));
}

std::shared_ptr<Job> Job::Inside::start(Settings settings, std::unique_ptr<Inside> inside) {
  const std::shared_ptr<Job> job(new Job(std::move(inside)));
  Loop::instance().post([job = job, settings = std::move(settings)]() mutable {
    Inside &self = *job->inside_;
    auto generation = std::make_unique<Generation>(std::move(settings), self.row(), self.cancellation_,
                                                   self.callbacks(), self.patience());
    detach(run(std::move(job), std::move(generation)));
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
    const Lock lock(mutex_);
    row_ = row;
  };
  callbacks.warned = [this](const std::string &text) {
    callOut([&] { observer_.warned(text); });
  };
  callbacks.log = [this](LogLevel level, const std::string &line) {
    callOut([&] { observer_.logged(level, line); });
  };
  return callbacks;
}

Task<void> Job::Inside::run(std::shared_ptr<Job> job, std::unique_ptr<Generation> generation) {
  Inside &self = *job->inside_;
  const auto clip = co_await generation->run();
  const Status &status = generation->status();
  if (!clip)
    (void)co_await self.cancellation_.sleepUntil(status.started + self.patience().firstFailure);
  self.callOut([&] {
    if (clip)
      self.observer_.completed(status);
    else if (clip.error().kind != ErrorKind::Cancelled)
      self.observer_.failed(status, clip.error());
  });
  if (clip && *clip)
    co_await generation->finishUp();
}

void Job::Inside::callOut(const std::function<void()> &call) {
  {
    const Lock lock(mutex_);
    if (stopped_)
      return;
    callingOut_ = true;
  }
  call();
  {
    const Lock lock(mutex_);
    callingOut_ = false;
  }
  calledOut_.notifyAll();
}

void Job::Inside::publish(const Status &status) {
  const Lock lock(mutex_);
  status_ = status;
}

void Job::Inside::stop() {
  if (!process_.isOurs())
    return; // it is the parent's, whose threads would have to be waited for here
  {
    const Lock lock(mutex_);
    stopped_ = true;
  }
  cancellation_.cancel();
  if (Loop::instance().isCurrent())
    return;
  Lock lock(mutex_);
  while (callingOut_)
    calledOut_.wait(lock);
}

Status Job::Inside::status() const {
  const Lock lock(mutex_);
  return status_;
}

int64_t Job::Inside::row() const {
  const Lock lock(mutex_);
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
