// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <json-glib/json-glib.h>
#include <tl/expected.hpp>

#include "base/glib_ptr.h"

namespace aimlvideo {

/// What the OpenAPI description of a model's endpoint says of the model, in the form of the catalogue: `id`, `kind`,
/// `inputs` and `parameters`. What the description leaves open stays open. The error is a sentence.
tl::expected<GRefPtr<JsonObject>, std::string> factsFromSchema(std::string_view openApi, const std::string &model);

} // namespace aimlvideo
