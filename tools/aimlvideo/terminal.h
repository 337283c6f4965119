// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json/value.h"
#include "production.h"
#include "progress.h"

namespace aimlvideo::cli {

/// Lines at the end of standard error that are drawn again and again; none if that is no terminal, or somebody wants
/// less or more than them. What is printed meanwhile takes them away first. There is one at a time.
class LiveLines {
public:
  LiveLines();
  LiveLines(const LiveLines &) = delete;
  LiveLines &operator=(const LiveLines &) = delete;
  ~LiveLines();

  bool possible() const { return possible_; }
  /// What the terminal has room for: columns of a line, and lines.
  size_t columns() const;
  size_t rows() const;
  /// Writes only what has changed. Each line is cut to the width of the terminal.
  void show(std::vector<std::string> lines);
  /// Takes them away, so that something else can be printed.
  void clear();

private:
  bool possible_;
  std::vector<std::string> shown_;
};

/// Between two drawings, in milliseconds: often enough that each second is seen.
constexpr unsigned redrawInterval = 250;

/// Where a clip comes from, as reports and `--json` spell it; empty before anything is known.
std::string originText(const Status &status);

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
