// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/job.h"

#include <system_error>

namespace aimlvideo {

namespace {

/// How long stop() waits for a thread that is about to end, so that a stopped element usually leaves none behind.
constexpr std::chrono::milliseconds grace{50};

} // namespace

Result<std::shared_ptr<Job>> Job::start(Settings settings, int64_t ownRow, JobObserver &observer, Patience patience) {
  const std::shared_ptr<Job> job(new Job(observer));
  job->status_.started = Clock::now();
  job->row_ = ownRow;
  const std::lock_guard lock(job->mutex_); // the thread's first publication waits until `thread_` is set
  try {
    job->thread_ = std::thread([job, settings = std::move(settings), ownRow, patience]() mutable {
      job->run(std::move(settings), ownRow, patience);
    });
    job->runner_ = job->thread_.get_id();
  } catch (const std::system_error &error) {
    return failure(ErrorKind::BadAnswer, "no thread can be started", error.what(), "Close other programs");
  }
  return job;
}

Job::~Job() {
  if (thread_.joinable())
    thread_.detach(); // the last owner is the thread itself, or it has ended
}

void Job::run(Settings settings, int64_t ownRow, const Patience &patience) {
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

  Generation generation(std::move(settings), ownRow, cancellation_, std::move(callbacks), patience);
  const auto clip = generation.run();
  if (!clip)
    cancellation_.sleepUntil(generation.status().started + patience.firstFailure);
  callOut([&] {
    if (clip)
      observer_.completed(generation.status());
    else if (clip.error().kind != ErrorKind::Cancelled)
      observer_.failed(generation.status(), clip.error());
  });
  if (clip && *clip)
    generation.finishUp();
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  changed_.notify_all();
}

void Job::callOut(const std::function<void()> &call) {
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
  changed_.notify_all();
}

void Job::publish(const Status &status) {
  const std::lock_guard lock(mutex_);
  status_ = status;
}

void Job::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  cancellation_.cancel();

  std::unique_lock lock(mutex_);
  if (runner_ == std::this_thread::get_id()) {
    if (thread_.joinable())
      thread_.detach();
    return;
  }
  changed_.wait(lock, [this] { return !callingOut_; });
  const bool ended = changed_.wait_for(lock, grace, [this] { return done_ || !thread_.joinable(); }) && done_;
  std::thread thread = std::move(thread_); // none, when another call of stop() has taken it
  lock.unlock();
  if (!thread.joinable())
    return;
  if (ended)
    thread.join();
  else
    thread.detach();
}

Status Job::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

int64_t Job::row() const {
  const std::lock_guard lock(mutex_);
  return row_;
}

} // namespace aimlvideo
