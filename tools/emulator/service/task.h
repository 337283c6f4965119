// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "emulator/service/catalogue.h"
#include "emulator/studio/clip_store.h"
#include "emulator/wire/json.h"

namespace aimlvideo::emulator {

enum class Family { Universal, Legacy };

enum class State { Queued, Generating, Completed, Failed };

struct Cost {
  double usd = 0;
  double credits() const { return std::round(usd * 2'000'000); }
};

/// How much of a key the service shows and can be asked for.
constexpr size_t keyStartLength = 8;

/// One accepted generation. Belongs to the main thread.
struct Task {
  std::string id;
  Family family = Family::Universal;
  std::string owner;    ///< fingerprint of the key that asked for it
  std::string keyStart; ///< its first characters
  std::string model;    ///< as named in the request
  const Model *knownModel = nullptr;
  std::string clientRequestId;
  Json summary;                         ///< of the request's body, for people and tests
  std::vector<std::string> unknownKeys; ///< in it, which the model's schema does not have
  Cost cost;

  double seconds = 0;        ///< length of the clip
  double acceptedAt = 0;     ///< monotonic, seconds
  gint64 acceptedClock = 0;  ///< microseconds since 1970
  double generationTime = 0; ///< seconds
  double clipReadyAt = -1;   ///< monotonic; -1: being rendered
  bool isEndless = false;
  std::string strangeState; ///< said instead of its true state until it is completed
  std::string failure;      ///< not empty: the generation ends with it
  std::string failureName;

  ClipPtr clip;
  unsigned serial = 0;
  bool isForgotten = false; ///< by a reset: what comes of it is not counted
  unsigned linkEdition = 0; ///< raised when its links expire
  unsigned polls = 0;
  unsigned downloads = 0;
  unsigned ending = 0; ///< its number among those that have ended; 0: it has not
  std::vector<std::string> faults;

  State state(double now) const;
  /// When it became completed or failed, or will by what is known now; infinite before the clip is there.
  double endsAt() const;
};

using TaskPtr = std::shared_ptr<Task>;

/// The tasks the emulator remembers: all that run, and so many that have ended. More of these are kept while nobody has
/// fetched what came of them, for as long as the addresses of clips are good.
class TaskBook {
public:
  TaskBook(size_t history, double retention) : history_(history), retention_(retention) {}

  /// Numbers the task and files it.
  void add(const TaskPtr &task);
  /// The task has ended and may be forgotten once it is fetched, or too old; another one may be at once.
  void end(const TaskPtr &task);
  /// What came of the task has been reported or handed out.
  void fetched(const TaskPtr &task);
  TaskPtr find(const std::string &id) const;
  TaskPtr findSerial(unsigned serial) const;
  /// By serial number: oldest first.
  const std::map<unsigned, TaskPtr> &tasks() const { return tasks_; }
  void clear();

private:
  void forgetSome();
  void forget(std::map<unsigned, TaskPtr> &ended);

  size_t history_;   ///< ended tasks to keep
  double retention_; ///< seconds for which those beyond are kept that nobody has fetched
  unsigned lastSerial_ = 0;
  std::map<unsigned, TaskPtr> tasks_;
  std::unordered_map<std::string, TaskPtr> byId_;
  unsigned lastEnding_ = 0;
  /// Those of tasks_ that have ended, in the order of their ends.
  std::map<unsigned, TaskPtr> waiting_, fetched_;
};

/// Seconds on a clock that only runs forward.
double monotonicSeconds();

} // namespace aimlvideo::emulator
