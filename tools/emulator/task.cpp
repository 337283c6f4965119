// SPDX-License-Identifier: LGPL-2.1-or-later
#include "task.h"

#include <algorithm>
#include <limits>

namespace emulator {
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
  ended_.push_back(task);
  if (ended_.size() <= history_)
    return;
  byId_.erase(ended_.front()->id);
  tasks_.erase(ended_.front()->serial);
  ended_.pop_front();
}

TaskPtr TaskBook::find(const std::string &id) const {
  auto found = byId_.find(id);
  return found == byId_.end() ? nullptr : found->second;
}

TaskPtr TaskBook::findSerial(unsigned serial) const {
  auto found = tasks_.find(serial);
  return found == tasks_.end() ? nullptr : found->second;
}

void TaskBook::clear() {
  for (const auto &[serial, task] : tasks_)
    task->isForgotten = true;
  tasks_.clear();
  byId_.clear();
  ended_.clear();
}

double monotonicSeconds() {
  return double(g_get_monotonic_time()) / G_USEC_PER_SEC;
}

} // namespace emulator
