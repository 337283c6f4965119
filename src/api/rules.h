// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <json-glib/json-glib.h>

#include "api/catalogue.h"

namespace aimlvideo {

/// How a body breaks a rule, as a sentence; empty: it keeps it. A value of the wrong type is not this one's business.
std::string faultAgainst(const Rule &rule, JsonObject *body);

} // namespace aimlvideo
