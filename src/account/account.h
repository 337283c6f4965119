// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "api/billing.h"
#include "base/cancellation.h"
#include "generation/settings.h"
#include "http/session.h"

namespace aimlvideo {

/// What the settings say of the way to the service.
SessionOptions sessionOptionsOf(const Settings &settings);

/// The balance of the account that the settings' key belongs to. Blocks for the network.
Result<Balance> fetchBalance(const Settings &settings, Cancellation &cancellation);

} // namespace aimlvideo
