// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <tl/expected.hpp>

#include "emulator/service/options.h"

namespace aimlvideo::emulator {

/// Reads the command line. --help and --version end the process. The error says in words what is wrong with it.
tl::expected<Options, std::string> readOptions(int argc, char **argv);

} // namespace aimlvideo::emulator
