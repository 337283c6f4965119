// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/log.h"

#include <atomic>

#include <aimlvideo/printable.h>

namespace aimlvideo {

namespace {

std::atomic<LogSink *> sink = nullptr;

} // namespace

void setLogSink(LogSink *wanted) {
  sink = wanted;
}

bool isLogged(LogLevel level) {
  const LogSink *const current = sink;
  return current && current->wants(level);
}

void log(LogLevel level, const std::string &line, const std::source_location &place) {
  if (LogSink *const current = sink; current && current->wants(level))
    current->write(level, printable(line), place);
}

} // namespace aimlvideo
