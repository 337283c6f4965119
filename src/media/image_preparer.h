// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include <aimlvideo/error.h>

#include "api/catalogue.h"

namespace aimlvideo {

/// An image as the model takes it.
struct PreparedImage {
  std::string bytes;
  std::string type; ///< MIME type
  std::string note; ///< a sentence for the user about what was changed or is to be expected; empty: nothing
};

/// Fits a PNG, JPEG or WebP image to a model's documented limits.
///
/// It is sent as it is wherever the limits allow. A type that the model does not take becomes a JPEG; too many bytes or
/// pixels are shrunk; an image that is stored turned is turned upright. Nothing is enlarged or cropped: an image that
/// is too small, too wide or too tall is refused. `property` names the setting in errors and notes.
Result<PreparedImage> prepareImage(std::string bytes, const std::string &type, const ImageLimits &limits,
                                   const std::string &property);

} // namespace aimlvideo
