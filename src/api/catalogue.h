// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <aimlvideo/catalogue.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

/// The data of all models, as JSON.
GRefPtr<JsonNode> catalogueFacts();
/// The data of one that is compiled in, by id or alias. Null: it is not.
GRefPtr<JsonNode> compiledInModel(const std::string &name);

} // namespace aimlvideo
