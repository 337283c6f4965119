// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/task.h"

#include <algorithm>
#include <limits>

namespace aimlvideo::emulator {

namespace {

constexpr double queuedShare = 0.25; // of the generation time

} // namespace

double Task::endsAt() const {
  if (isEndless || clipReadyAt < 0)
    return std::numeric_limits<double>::infinity();
  return std::max(acceptedAt + generationTime, clipReadyAt);
}

State Task::state(double now) const {
  if (now >= endsAt())
    return failure.empty() ? State::Completed : State::Failed;
  return now < acceptedAt + generationTime * queuedShare ? State::Queued : State::Generating;
}

void TaskBook::add(const TaskPtr &task) {
  task->serial = ++lastSerial_;
  tasks_[task->serial] = task;
  byId_[task->id] = task;
}

void TaskBook::end(const TaskPtr &task) {
  task->ending = ++lastEnding_;
  waiting_[task->ending] = task;
  forgetSome();
}

void TaskBook::fetched(const TaskPtr &task) {
  if (waiting_.erase(task->ending) == 0)
    return;
  fetched_[task->ending] = task;
  forgetSome();
}

void TaskBook::forgetSome() {
  while (waiting_.size() + fetched_.size() > history_) {
    if (!fetched_.empty())
      forget(fetched_);
    else if (waiting_.begin()->second->endsAt() + retention_ <= monotonicSeconds())
      forget(waiting_);
    else
      return;
  }
}

void TaskBook::forget(std::map<unsigned, TaskPtr> &ended) {
  const TaskPtr task = ended.begin()->second;
  byId_.erase(task->id);
  tasks_.erase(task->serial);
  ended.erase(ended.begin());
}

TaskPtr TaskBook::find(const std::string &id) const {
  const auto found = byId_.find(id);
  return found == byId_.end() ? nullptr : found->second;
}

TaskPtr TaskBook::findSerial(unsigned serial) const {
  const auto found = tasks_.find(serial);
  return found == tasks_.end() ? nullptr : found->second;
}

void TaskBook::clear() {
  for (const auto &[serial, task] : tasks_)
    task->isForgotten = true;
  tasks_.clear();
  byId_.clear();
  waiting_.clear();
  fetched_.clear();
}

double monotonicSeconds() {
  return double(g_get_monotonic_time()) / G_USEC_PER_SEC;
}

} // namespace aimlvideo::emulator
