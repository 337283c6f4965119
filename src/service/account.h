// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "api/billing.h"
#include "base/cancellation.h"
#include "settings/service_address.h"

namespace aimlvideo {

/// The balance of the account that the settings' key belongs to. Blocks for the network.
Result<Balance> fetchBalance(const Settings &settings, Cancellation &cancellation);

} // namespace aimlvideo
