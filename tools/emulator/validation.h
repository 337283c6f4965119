// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "catalogue.h"
#include "json.h"

namespace emulator {

// Checks a request's body against what the model accepts. One line for each
// mistake, in the service's words; empty when there is none.
//
// Odd as the service is: a whole number for `duration` may also come as a string.
std::vector<std::string> findMistakes(const std::vector<Parameter> &parameters, const Json &body);

} // namespace emulator
