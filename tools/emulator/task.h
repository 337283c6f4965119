// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cmath>
#include <deque>
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
  Json summary; // of the request's body, for people and tests
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

  // Numbers the task and files it; the oldest ended ones may be forgotten for it.
  void add(const TaskPtr &task);
  TaskPtr find(const std::string &id) const;
  TaskPtr findSerial(unsigned serial) const;
  // Oldest first.
  const std::deque<TaskPtr> &tasks() const { return tasks_; }
  void clear();

private:
  void forget(double now);

  size_t history_;
  unsigned lastSerial_ = 0;
  std::deque<TaskPtr> tasks_;
  std::unordered_map<std::string, TaskPtr> byId_;
  std::unordered_map<unsigned, TaskPtr> bySerial_;
};

// Seconds on a clock that only runs forward.
double monotonicSeconds();

} // namespace emulator
