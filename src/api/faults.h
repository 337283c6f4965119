// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include <json-glib/json-glib.h>

#include "api/catalogue.h"

namespace aimlvideo {

/// What is said of a body that is to be sent to a model: one sentence each, all at once, each with its place, its value
/// and what is allowed.
struct Findings {
  std::vector<std::string> faults;   ///< the body is wrong
  std::vector<std::string> warnings; ///< it may be right, though the documentation does not say so
};

/// What a key is that the documentation does not have. The service adds parameters, and its own samples send some that
/// its schemas lack. One that is nearly a known key is wrong in any case: it is a misspelling.
enum class UnknownKeys { Warning, Fault };

/// What the documentation leaves open is not wrong. `body` must not hold `model`.
Findings findingsOf(JsonObject *body, const std::vector<Parameter> &parameters, const std::vector<Rule> &rules,
                    UnknownKeys unknownKeys);

/// The faults alone, unknown keys among them.
std::vector<std::string> faultsOf(JsonObject *body, const std::vector<Parameter> &parameters,
                                  const std::vector<Rule> &rules = {});

/// What a value reads like in a sentence: short, and without the megabytes of a data URI.
std::string quoted(const std::string &value);

std::string joined(const std::vector<std::string> &parts, const char *separator);

} // namespace aimlvideo
