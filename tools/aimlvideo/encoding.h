// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>
#include <gst/pbutils/encoding-profile.h>

#include "profile.h"

namespace aimlvideo::cli {

// What GStreamer makes of a profile.

/// Whether the elements that a profile needs are installed. To be asked before anything is bought.
Result<void> checkElements(const Profile &profile);

/// How encodebin is told to make it: both streams in their container, or one stream alone.
GstEncodingProfile *encodingProfileFor(const Profile &profile, bool withSound);
GstEncodingProfile *encodingProfileFor(const StreamFormat &format);

/// Whether encodebin has made it for the profile's container.
bool isMuxerOf(const Profile &profile, GstElement *element);

/// The profile's settings for an element that encodebin has made.
void configureElement(const Profile &profile, GstElement *element);

} // namespace aimlvideo::cli
