// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <vector>

#include "exit_code.h"
#include "production.h"

namespace aimlvideo::cli {

/// Makes one file and tells how it gets on: on a terminal, in a log, or to a program. SIGINT and SIGTERM end it, and it
/// says how it goes on.
ExitCode makeFile(Order order);

/// The same for several takes of one request, a few at once; those that earlier runs have made are told of and left
/// alone.
ExitCode makeTakes(std::vector<Order> orders, const std::vector<Order> &there);

/// It is not begun.
ExitCode refuseFile(const Error &error);

} // namespace aimlvideo::cli
