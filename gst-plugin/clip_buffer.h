// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

#include <aimlvideo/spool.h>

namespace aimlvideo {

/// A buffer with a copy of bytes of the clip that are present. `given` is filled instead where the caller brings one.
/// A copy costs less than a mapping of the file: 0.04 s of CPU for 1 GiB in blocks of 512 KiB, against 0.07 s, and less
/// to whoever reads it, as it is in the processor's cache; some kernels write a mapping into another file slowly.
Result<GstBuffer *> bufferFrom(const Spool &clip, guint64 offset, gsize size, GstBuffer *given);

} // namespace aimlvideo
