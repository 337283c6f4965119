// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/media.h"
#include "base/error.h"

namespace aimlvideo {

/// The largest file that is sent, in bytes: the largest limit that the service documents for any model.
constexpr size_t maximumImageSize = 50'000'000;

/// The MIME type of an image by its first bytes: `image/png`, `image/jpeg` or `image/webp`. Nothing: not one of these.
std::optional<std::string> imageTypeOf(std::string_view bytes);

/// Turns an image reference into what the request's body carries, with the identity of the original bytes.
///
/// - a path or a `file:` URI is read and becomes a data URI with the MIME type of its content;
/// - an `http(s):` URL is passed on byte for byte, the service fetches it;
/// - a `data:` URI is checked to hold an image in base64 and passed on.
///
/// `property` names the setting in errors. Reads the disk: not for an application's thread.
Result<Media> resolveImage(const std::string &reference, const std::string &property);

/// Whether resolving the reference reads a local file.
bool isLocalFile(std::string_view reference);

} // namespace aimlvideo
