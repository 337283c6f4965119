// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "emulator/service/options.h"

namespace aimlvideo::emulator {

/// Whether the emulator is meant by a name in a Host header, with or without a port. A page from elsewhere can have its
/// own name lead to this machine (DNS rebinding); a browser would then take the emulator for that page's own server.
bool isOwnHost(const std::string &hostAndPort, const Options &options);

/// The same for an origin such as http://localhost:3000.
bool isOwnOrigin(const std::string &origin, const Options &options);

} // namespace aimlvideo::emulator
