// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "emulator/service/catalogue.h"
#include "emulator/wire/json.h"

namespace aimlvideo::emulator {

/// A request's body as the report shows it: {"model", "prompt", "parameters", "media"}.
/// The content of data URIs is left out; each is described by its type, size and SHA-256.
Json summarise(const Model &model, const Json &body);

} // namespace aimlvideo::emulator
