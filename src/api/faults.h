// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include <json-glib/json-glib.h>

#include "api/catalogue.h"

namespace aimlvideo {

/// Names what is wrong with a body that is to be sent to a model: one sentence each, all at once, each with its place,
/// its value and what is allowed. What the documentation leaves open is not wrong. `body` must not hold `model`.
std::vector<std::string> faultsOf(JsonObject *body, const std::vector<Parameter> &parameters,
                                  const std::vector<Rule> &rules = {});

/// What a value reads like in a sentence: short, and without the megabytes of a data URI.
std::string quoted(const std::string &value);

std::string joined(const std::vector<std::string> &parts, const char *separator);

} // namespace aimlvideo
