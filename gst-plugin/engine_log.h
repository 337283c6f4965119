// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <source_location>
#include <string>

#include <gst/gst.h>

#include <aimlvideo/log.h>

namespace aimlvideo {

GstDebugLevel debugLevelOf(LogLevel level);

/// A function's name without its types, as __func__ has it.
std::string plainName(const std::source_location &place);

/// Has the engine write to GStreamer's debug log, as the category `aimlvideo`.
void logToGStreamer();

} // namespace aimlvideo
