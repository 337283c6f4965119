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
  tasks_.push_back(task);
  byId_[task->id] = task;
  bySerial_[task->serial] = task;
  if (tasks_.size() > history_)
    forget(monotonicSeconds());
}

TaskPtr TaskBook::find(const std::string &id) const {
  auto found = byId_.find(id);
  return found == byId_.end() ? nullptr : found->second;
}

TaskPtr TaskBook::findSerial(unsigned serial) const {
  auto found = bySerial_.find(serial);
  return found == bySerial_.end() ? nullptr : found->second;
}

void TaskBook::clear() {
  tasks_.clear();
  byId_.clear();
  bySerial_.clear();
}

// Looks at the oldest only: a task that never ends must not make each addition a search.
void TaskBook::forget(double now) {
  size_t searched = 0;
  for (auto oldest = tasks_.begin(); oldest != tasks_.end() && tasks_.size() > history_ && searched < 64; searched++) {
    if ((*oldest)->endsAt() > now) {
      ++oldest;
      continue;
    }
    byId_.erase((*oldest)->id);
    bySerial_.erase((*oldest)->serial);
    oldest = tasks_.erase(oldest);
  }
}

double monotonicSeconds() {
  return double(g_get_monotonic_time()) / G_USEC_PER_SEC;
}

} // namespace emulator
