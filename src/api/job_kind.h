// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "api/request.h"

namespace aimlvideo {

/// What the time of a generation depends on most: generations of one kind take about as long as each other.
struct JobKind {
  std::string model;      ///< its id in the catalogue, whatever alias the request uses; empty: not known
  std::string duration;   ///< of the clip in seconds, as sent or as the model's default; empty: not known
  std::string resolution; ///< likewise

  bool operator==(const JobKind &) const = default;
};

/// The kind of a checked request. Pure.
JobKind kindOf(const Request &request);

} // namespace aimlvideo
