// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <concepts>
#include <string>

#include <aimlvideo/log.h>

namespace aimlvideo {

bool isLogged(LogLevel level);

/// What is foreign in it is made printable here.
void log(LogLevel level, const std::string &line, const std::source_location &place = std::source_location::current());

/// A line that is put together only where somebody looks at it.
template <std::invocable Line>
void log(LogLevel level, const Line &line, const std::source_location &place = std::source_location::current()) {
  if (isLogged(level))
    log(level, line(), place);
}

} // namespace aimlvideo
