// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>

#include <aimlvideo/log.h>
#include <aimlvideo/status.h>

#include "timing/forecast.h"

namespace aimlvideo {

/// Tells the owner of a generation what happens to it, in printable lines. For the network thread.
class Narrator {
public:
  /// Called with no lock held.
  struct Callbacks {
    std::function<void(const Status &)> stateChanged;
    std::function<void(const Status &, const std::string &note)> progressed;
    std::function<void(LogLevel level, const std::string &line)> log;
    /// What the user should look at, and what stops nothing. May be empty.
    std::function<void(const std::string &text)> warned;
  };

  explicit Narrator(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}

  Status status;

  /// Whoever listens hears from now on how much is done and how long it will take.
  void expect(GenerationTimes times) { forecast_.emplace(std::move(times)); }
  /// Nothing before expect().
  const std::optional<Forecast> &forecast() const { return forecast_; }

  /// Reports a change of state, if there is one.
  void enter(State state);
  /// Says what happened, to be shown to a person.
  void note(const std::string &text);
  void warn(const std::string &text);
  /// For a person at a terminal.
  static constexpr std::chrono::seconds signInterval{5};
  /// A sign of life, if none was given for that long.
  void tick();
  /// How a download gets on: reported at most five times a second.
  void bytes(uint64_t received, std::optional<uint64_t> total);
  /// For whoever looks closer.
  void log(LogLevel level, const std::string &line) const;

private:
  void lookAhead();

  Callbacks callbacks_;
  std::optional<Forecast> forecast_;
  Clock::time_point lastSign_;
  uint64_t bytesAtLastSign_ = 0;
};

} // namespace aimlvideo
