// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "http/session.h"
#include "settings/service_address.h"

namespace aimlvideo {

/// What one question without the key tells of the way to the service. It costs nothing.
struct Probe {
  std::string proxy;                  ///< on the way, without user and password; empty: none
  std::vector<std::string> addresses; ///< of the host; empty: a proxy asks for them, or there are none
  std::string nameProblem;            ///< why the host has no address, in the system's words
  Exchanged<unsigned> status = 0u;    ///< of HTTP
  std::chrono::milliseconds time{0};  ///< until the head of the answer was here
  /// How far this machine's clock is ahead of the service's, to a second or two; empty: the service did not tell its
  /// time.
  std::optional<std::chrono::seconds> clockAhead;
};

/// Blocks for the network, ten seconds at most for the name and ten for the answer.
Probe probeService(const Settings &settings, const ServiceAddress &address, Cancellation &cancellation);

} // namespace aimlvideo
