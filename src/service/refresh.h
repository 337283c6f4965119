// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <aimlvideo/account.h>
#include <aimlvideo/settings.h>

#include "base/cancellation.h"

namespace aimlvideo {

/// Asks the service for its list of video models and for the description of each, and keeps what the compiled-in
/// catalogue lacks. The key is not sent. Descriptions are fetched from the service's own address, and from that of its
/// documentation over https; those elsewhere are not. Blocks for the network, a minute or so.
Result<Refreshed> refreshCatalogue(const Settings &settings, Cancellation &cancellation);

/// Whether a description of a model of the service at `baseUrl` may be fetched from there.
bool isOfTheService(const std::string &url, const std::string &baseUrl);

} // namespace aimlvideo
