// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "emulator/wire/bytes.h"

namespace aimlvideo::emulator {

/// A picture, sound or film named in a request: the bytes of a data URI, or an address to fetch.
struct MediaReference {
  std::string parameter;
  std::string url;       ///< empty for a data URI
  std::string mediaType; ///< as declared by a data URI
  Bytes bytes;           ///< of a data URI
  std::string sha256;    ///< of bytes, or of the address

  bool isData() const { return url.empty(); }
};

/// Nothing if `text` is neither an http(s) URL nor a readable data URI.
std::optional<MediaReference> readMediaReference(std::string_view parameter, const std::string &text);

/// image/png, image/jpeg, image/webp by their first bytes; empty for anything else.
std::string imageTypeOf(std::string_view bytes);

/// Whether the host of this http(s) URL is this machine.
bool isOnLoopback(const std::string &url);
bool isLoopbackHost(const std::string &host);

} // namespace aimlvideo::emulator
