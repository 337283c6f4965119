// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

#include <aimlvideo/mark.h>

namespace aimlvideo {

/// What a mark says, as far as GStreamer has tags for it. Returns a new list.
GstTagList *tagsFor(const MarkFacts &facts);

/// An event with tags of others, whose comment comes behind the mark's: a muxer writes the first that it gets. Takes
/// over the event, and returns it or another.
GstEvent *withMark(GstEvent *tags, const MarkFacts &facts);

} // namespace aimlvideo
