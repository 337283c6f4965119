// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "emulator/service/catalogue.h"
#include "emulator/studio/look.h"
#include "emulator/wire/json.h"

namespace aimlvideo::emulator {

/// What the valid request `body` for `model` asks for.
Look requestedLook(const Model &model, const Json &body);

} // namespace aimlvideo::emulator
