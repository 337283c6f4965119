// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <aimlvideo/error.h>

#include "api/media.h"
#include "media/media_file.h"

namespace aimlvideo {

/// Sentences for the user about media that were changed on their way, or may not do.
using Notes = std::vector<std::string>;

/// The MIME type of an image by its first bytes: `image/png`, `image/jpeg` or `image/webp`. Empty: not one of these.
std::optional<std::string> imageTypeOf(std::string_view bytes);

/// Turns an image reference into what the request's body carries, with the identity of the original bytes.
///
/// - a path or a `file:` URI is read and becomes a data URI with the MIME type of its content;
/// - an `http(s):` URL is passed on byte for byte, the service fetches it;
/// - a `data:` URI is checked to hold an image in base64 and passed on.
///
/// What is not fetched by the service is fitted to `limits`, see prepareImage(). `property` names the setting in
/// errors. Reads the disk: not for an application's thread.
Result<Media> resolveImage(const std::string &reference, const std::string &property, const ImageLimits &limits = {},
                           Notes *notes = nullptr);

/// The same for an image that an application gives. `identity` stands for it in the request's identity.
Result<Media> imageFromBytes(std::string bytes, std::string identity, const std::string &property,
                             const ImageLimits &limits = {}, Notes *notes = nullptr);

/// Whether resolving the reference reads a local file.
bool isLocalFile(std::string_view reference);

} // namespace aimlvideo
