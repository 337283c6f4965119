// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <gst/gst.h>

#include "profile.h"

namespace aimlvideo::cli {

// How what a profile makes of a clip gets the clip's mark, see <aimlvideo/mark.h>; an empty mark is none.

/// Has the tags that say so go along with what a pad puts out, before those of the clip, to be written by a muxer that
/// has a place for them.
void markStream(GstPad *pad, const std::string &mark);
/// Lets a muxer leave to markOutput() what that does better.
void prepareMuxer(GstElement *muxer);

/// Puts it into a finished file that has a place for it, or into the folder of a stream. For a thread that may wait for
/// a disk.
Result<void> markOutput(const Profile &profile, const std::string &path, const std::string &mark);

} // namespace aimlvideo::cli
