// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <source_location>
#include <string>

#include <aimlvideo/export.h>

namespace aimlvideo {

/// The levels as GStreamer's contributors use them.
enum class LogLevel {
  Warning, ///< something went wrong and was handled
  Info,    ///< what the ledger and the schedule have decided
  Debug,   ///< requests: method, address without its query, status, time
  Log,     ///< bytes
};

/// Where the engine's log goes. No line holds the key, a query, a header or a prompt; each is printable.
class AIMLVIDEO_API LogSink {
public:
  virtual ~LogSink() = default;
  /// Called before a line is composed. From any thread, with no lock held, like write().
  virtual bool wants(LogLevel level) const = 0;
  virtual void write(LogLevel level, const std::string &line, const std::source_location &place) = 0;
};

/// For the whole process; it must live as long. Null: the lines are dropped, as before the first call.
AIMLVIDEO_API void setLogSink(LogSink *sink);

} // namespace aimlvideo
