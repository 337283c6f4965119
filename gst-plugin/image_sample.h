// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>

#include <gst/gst.h>

#include <aimlvideo/settings.h>

namespace aimlvideo {

/// How to get the first frame out of a sample of image/jpeg, image/png, image/webp or raw video, which becomes a PNG.
/// The sample is kept until the last copy is gone. Empty without a sample.
std::function<Result<GivenImage>()> imageSourceFor(GstSample *sample);

} // namespace aimlvideo
