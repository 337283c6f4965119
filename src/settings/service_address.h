// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <aimlvideo/settings.h>

#include "http/session.h"

namespace aimlvideo {

/// Where the service is.
struct ServiceAddress {
  std::string baseUrl;
  bool loopback = false; ///< it is on this machine
};

/// The service that the settings and the environment name; proxy and extra headers are checked as well.
Result<ServiceAddress> serviceAddressOf(const Settings &settings);

/// What the settings say of the way there.
SessionOptions sessionOptionsOf(const Settings &settings);

/// Whoever can set `base-url`, such as a project file of an editor, must not get the key that the user keeps for the
/// service: that goes to the environment's base URL only.
Result<void> checkKeyMayGo(const Settings &settings);

} // namespace aimlvideo
