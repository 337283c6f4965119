// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "emulator/service/catalogue.h"
#include "emulator/wire/json.h"

namespace aimlvideo::emulator {

/// Checks a request's body against what the model accepts. One line for each mistake, in the service's words; empty
/// when there is none.
///
/// Odd as the service is: a whole number for `duration` may also come as a string.
///
/// A key that the model does not have is a mistake, unless there is a list in which to name it.
std::vector<std::string> findMistakes(const std::vector<Parameter> &parameters, const Json &body,
                                      std::vector<std::string> *unknownKeys = nullptr);

} // namespace aimlvideo::emulator
