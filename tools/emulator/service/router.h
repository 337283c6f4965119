// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "emulator/service/clips.h"
#include "emulator/service/control.h"
#include "emulator/service/generations.h"
#include "emulator/service/listings.h"
#include "emulator/service/service.h"

namespace aimlvideo::emulator {

/// Which part of the service a request is for: "create", "poll", "clip", "logs", "models", "model", "deprecations",
/// "schema", "billing", "emulator" (this program itself) or "unknown".
std::string phaseOf(const Request &request);

/// Hands requests to the parts of the service.
class Router {
public:
  explicit Router(Service &service, Wires &wires)
      : generations_(service), clips_(service), listings_(service), control_(service, wires) {}

  /// Replies once, maybe later.
  void handle(const std::string &phase, const Request &request, const Fault *fault, const Reply &reply);

private:
  Response answer(const std::string &phase, const Request &request, const Fault *fault);

  Generations generations_;
  Clips clips_;
  Listings listings_;
  Control control_;
};

} // namespace aimlvideo::emulator
