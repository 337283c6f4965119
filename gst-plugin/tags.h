// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

#include <aimlvideo/mark.h>

namespace aimlvideo {

/// What a mark says, as far as GStreamer has tags for it. Returns a new list.
GstTagList *tagsFor(const MarkFacts &facts);

} // namespace aimlvideo
