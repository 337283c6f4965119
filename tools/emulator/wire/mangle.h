// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "emulator/wire/faults.h"
#include "emulator/wire/http.h"
#include "emulator/wire/wire.h"

namespace aimlvideo::emulator {

/// The answer to a request that the service does not even look at, because of the fault.
Response refusalBy(const Fault &fault, const Request &request);

/// Spoils the answer in the way the fault says: its content, and how it travels.
void mangle(const Fault &fault, const Request &request, Response &response, Wire &wire);

} // namespace aimlvideo::emulator
