// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <aimlvideo/settings.h>

#include "api/request.h"
#include "settings/allowance.h"

namespace aimlvideo {

/// Settings with every file read, checked and ready to be sent.
struct Plan {
  Request request; ///< without a body where only a given generation is fetched
  Secret key;
  std::string baseUrl;
  bool loopback = false; ///< the service is on this machine
  Allowance allowance;
};

/// The way to the service and the key, without a request.
Result<Plan> prepareAccount(const Settings &settings);

/// Reads the files that the settings name and checks everything. For the worker's thread.
Result<Plan> prepare(const Settings &settings);

} // namespace aimlvideo
