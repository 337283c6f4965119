// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "catalogue.h"
#include "clip_store.h"
#include "json.h"

namespace emulator {

enum class Family { Universal, Legacy };

enum class State { Queued, Generating, Completed, Failed };

struct Cost {
  double usd = 0;
  double credits() const { return std::round(usd * 2'000'000); }
};

// One accepted generation. Belongs to the main thread.
struct Task {
  std::string id;
  Family family = Family::Universal;
  std::string owner; // fingerprint of the key that asked for it
  std::string model; // as named in the request
  const Model *knownModel = nullptr;
  std::string clientRequestId;
  Json summary;                         // of the request's body, for people and tests
  std::vector<std::string> unknownKeys; // in it, which the model's schema does not have
  Cost cost;

  double seconds = 0;        // length of the clip
  double acceptedAt = 0;     // monotonic, seconds
  gint64 acceptedClock = 0;  // microseconds since 1970
  double generationTime = 0; // seconds
  double clipReadyAt = -1;   // monotonic; -1: being rendered
  bool isEndless = false;
  std::string strangeState; // said instead of its true state until it is completed
  std::string failure;      // not empty: the generation ends with it
  std::string failureName;

  ClipPtr clip;
  unsigned serial = 0;
  bool isForgotten = false; // by a reset: what comes of it is nobody's business any more
  unsigned linkEdition = 0; // raised when its links expire
  unsigned polls = 0;
  unsigned downloads = 0;
  std::vector<std::string> faults;

  State state(double now) const;
  // When it became completed or failed, or will by what is known now; infinite before the clip is there.
  double endsAt() const;
};

using TaskPtr = std::shared_ptr<Task>;

// The tasks the emulator remembers: all that run, and the newest that ended.
class TaskBook {
public:
  explicit TaskBook(size_t history) : history_(history) {}

  // Numbers the task and files it.
  void add(const TaskPtr &task);
  // The task has ended and may be forgotten from now on; the one that ended first may be at once.
  void end(const TaskPtr &task);
  TaskPtr find(const std::string &id) const;
  TaskPtr findSerial(unsigned serial) const;
  // By serial number: oldest first.
  const std::map<unsigned, TaskPtr> &tasks() const { return tasks_; }
  void clear();

private:
  size_t history_; // ended tasks to keep
  unsigned lastSerial_ = 0;
  std::map<unsigned, TaskPtr> tasks_;
  std::unordered_map<std::string, TaskPtr> byId_;
  std::deque<TaskPtr> ended_; // those of tasks_ that have, in the order of their ends
};

// Seconds on a clock that only runs forward.
double monotonicSeconds();

} // namespace emulator
