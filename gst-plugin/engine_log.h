// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace aimlvideo {

/// Has the engine write to GStreamer's debug log, as the category `aimlvideo`.
void logToGStreamer();

} // namespace aimlvideo
