// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <aimlvideo/error.h>

#include "api/media.h"
#include "media/image_reference.h"

namespace aimlvideo {

/// The MIME type of an image, a clip or a sound by its first bytes, as far as models take it.
std::optional<std::string> mediaTypeOf(std::string_view bytes);

/// Reads the local file that a text in the parameters names, as a data URI with the type of its content. An image is
/// fitted to `limits`. Reads the disk: not for an application's thread.
Result<Media> resolveMedia(const MediaPlace &place, const ImageLimits &limits, Notes *notes = nullptr);

} // namespace aimlvideo
