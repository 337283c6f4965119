// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "emulator/service/catalogue.h"
#include "emulator/service/task.h"
#include "emulator/wire/json.h"

namespace aimlvideo::emulator {

// Prices are made up (the documentation lists none), near what users report.

/// The `pricing` member of the model's entry in /v1/models.
Json pricingJson(const Model &model);

/// What the valid request `body` costs by that price list.
Cost costOf(const Model &model, const Json &body, double seconds);

} // namespace aimlvideo::emulator
