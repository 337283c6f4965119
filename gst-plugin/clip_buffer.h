// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

#include <aimlvideo/spool.h>

namespace aimlvideo {

/// A buffer with bytes of the clip that are present: mapped from its file where they are many, else copied. `given` is
/// filled instead where the caller brings one. The buffer may outlive the clip.
Result<GstBuffer *> bufferFrom(const Spool &clip, guint64 offset, gsize size, GstBuffer *given);

} // namespace aimlvideo
