// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json/value.h"
#include "production.h"

namespace aimlvideo::cli {

/// Lines at the end of standard error that are drawn again and again; none if that is no terminal.
class LiveLines {
public:
  LiveLines();
  LiveLines(const LiveLines &) = delete;
  LiveLines &operator=(const LiveLines &) = delete;
  ~LiveLines() { clear(); }

  bool possible() const { return possible_; }
  /// Each is cut to the width of the terminal.
  void show(const std::vector<std::string> &lines);
  /// Takes them away, so that something else can be printed.
  void clear();

private:
  bool possible_;
  size_t shown_ = 0;
};

/// `[#####     ]  50 %`
std::string bar(int percent);
/// `1:05`
std::string timeText(double seconds);
/// Where a clip comes from, as reports and `--json` spell it; empty before anything is known.
std::string originText(const Status &status);
/// Seconds until the service has made it, while it is at it and as far as anybody knows.
std::optional<double> secondsLeft(const Status &status);
/// Likewise, since it was begun.
double secondsPassed(const Status &status);
/// Where a production stands: bar, state, time and what is left.
std::string progressLine(const Production &production);

/// The main loop of a command, until somebody leaves it. SIGINT and SIGTERM call `interrupted` once; the second one
/// ends the process.
void runLoop(GMainLoop *loop, std::function<void()> interrupted);

/// The members of a JSON object, of which those that are empty are left out.
class Members {
public:
  Members &text(const char *name, const std::string &value);
  Members &number(const char *name, std::optional<double> value); ///< USD or seconds, see rounded()
  Members &integer(const char *name, std::optional<int64_t> value);
  Members &generation(const Status &status);
  const json::Value &value() const { return object_; }

private:
  json::Value object_ = json::Value::object();
};

} // namespace aimlvideo::cli
