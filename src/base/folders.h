// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <tl/expected.hpp>

#include <aimlvideo/folders.h>

namespace aimlvideo {

/// Makes a folder that only its user can enter (0700), with those above it. The error is the system's words.
tl::expected<void, std::string> makePrivateFolder(const std::string &path);

} // namespace aimlvideo
