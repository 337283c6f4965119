// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>

#include "generation/status.h"

namespace aimlvideo {

/// Tells the owner of a generation what happens to it. For the thread that works on it.
class Narrator {
public:
  /// Called with no lock held.
  struct Callbacks {
    std::function<void(const Status &)> stateChanged;
    std::function<void(const Status &, const std::string &note)> progressed;
    std::function<void(const std::string &line)> log;
    /// What the user should look at, and what stops nothing. May be empty.
    std::function<void(const std::string &text)> warned;
  };

  explicit Narrator(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}

  Status status;

  /// Tells a change of state; nothing where there is none.
  void enter(State state);
  /// Says what happened, to be shown to a person.
  void note(const std::string &text);
  void warn(const std::string &text);
  /// A sign of life, if none was given for some seconds.
  void tick();
  /// How a download gets on: told at most five times a second.
  void bytes(uint64_t received, std::optional<uint64_t> total);
  void log(const std::string &line) const { callbacks_.log(line); }

private:
  Callbacks callbacks_;
  Clock::time_point lastSign_;
  uint64_t bytesAtLastSign_ = 0;
};

} // namespace aimlvideo
