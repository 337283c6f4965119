// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include <tl/expected.hpp>

#include "emulator/studio/look.h"
#include "emulator/studio/picture.h"

namespace aimlvideo::emulator {

/// Makes the MP4 of a look in the file `path`: H.264, and AAC if the look has sound. Takes seconds: for worker
/// threads. The pictures are the look's images, already decoded. The error says in words what failed.
tl::expected<void, std::string> render(const Look &look, std::optional<Picture> first, std::optional<Picture> last,
                                       const std::string &path, const std::stop_token &stop);

/// Names the GStreamer elements that rendering needs and this machine lacks; empty if none is missing.
std::string missingElements();

} // namespace aimlvideo::emulator
