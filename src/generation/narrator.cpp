// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/narrator.h"

namespace aimlvideo {

namespace {

/// For a person at a terminal.
constexpr std::chrono::seconds signInterval{5};

} // namespace

void Narrator::enter(State state) {
  if (status.state == state)
    return;
  status.state = state;
  lastSign_ = Clock::now();
  callbacks_.stateChanged(status);
}

void Narrator::note(const std::string &text) {
  callbacks_.log(text);
  lastSign_ = Clock::now();
  callbacks_.progressed(status, text);
}

void Narrator::warn(const std::string &text) {
  callbacks_.log(text);
  if (callbacks_.warned)
    callbacks_.warned(text);
}

void Narrator::tick() {
  if (Clock::now() - lastSign_ < signInterval)
    return;
  lastSign_ = Clock::now();
  callbacks_.progressed(status, "");
}

} // namespace aimlvideo
