// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "base/json/value.h"

namespace aimlvideo::emulator {

using Json = json::Value;

} // namespace aimlvideo::emulator
