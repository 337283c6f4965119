// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/narrator.h"

#include <algorithm>
#include <cassert>

#include <aimlvideo/printable.h>

#include "base/loop.h"

namespace aimlvideo {

namespace {

/// For a program that shows how a download gets on.
constexpr std::chrono::milliseconds downloadInterval{200};

} // namespace

/// What is reported next has the present outlook, and takes nothing back.
void Narrator::lookAhead() {
  using std::chrono::milliseconds;
  const bool known = status.accepted != Clock::time_point{};
  status.hasOutlook = forecast_ && status.waiting() && (known || status.state == State::Submitting);
  if (status.hasOutlook)
    status.outlook = forecast_->at(known ? std::chrono::duration_cast<milliseconds>(Clock::now() - status.accepted)
                                         : milliseconds(0));
  status.leastPercent = std::max(status.leastPercent, status.percent().value_or(0));
}

void Narrator::enter(State state) {
  assert(Loop::instance().isCurrent());
  if (status.state == state)
    return;
  status.state = state;
  lastSign_ = Clock::now();
  lookAhead();
  callbacks_.stateChanged(status);
}

void Narrator::note(const std::string &text) {
  assert(Loop::instance().isCurrent());
  const std::string shown = printable(text);
  callbacks_.log(LogLevel::Info, shown);
  lastSign_ = Clock::now();
  lookAhead();
  callbacks_.progressed(status, shown);
}

void Narrator::warn(const std::string &text) {
  assert(Loop::instance().isCurrent());
  const std::string shown = printable(text);
  callbacks_.log(LogLevel::Warning, shown);
  if (callbacks_.warned)
    callbacks_.warned(shown);
}

void Narrator::log(LogLevel level, const std::string &line) const {
  assert(Loop::instance().isCurrent());
  callbacks_.log(level, printable(line));
}

void Narrator::bytes(uint64_t received, std::optional<uint64_t> total) {
  assert(Loop::instance().isCurrent());
  status.bytesReceived = received;
  status.bytesTotal = total;
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - lastSign_);
  if (passed < downloadInterval)
    return;
  const uint64_t gained = received - std::min(bytesAtLastSign_, received);
  status.bytesPerSecond = gained * 1000 / static_cast<uint64_t>(passed.count());
  bytesAtLastSign_ = received;
  lastSign_ = Clock::now();
  lookAhead();
  callbacks_.progressed(status, "");
}

void Narrator::tick() {
  assert(Loop::instance().isCurrent());
  if (Clock::now() - lastSign_ < signInterval)
    return;
  lastSign_ = Clock::now();
  lookAhead();
  callbacks_.progressed(status, "");
}

} // namespace aimlvideo
