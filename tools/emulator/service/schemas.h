// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "emulator/service/catalogue.h"
#include "emulator/wire/json.h"

namespace aimlvideo::emulator {

/// The OpenAPI description of the endpoint that makes generations with the model.
Json schemaJson(const Model &model);

} // namespace aimlvideo::emulator
