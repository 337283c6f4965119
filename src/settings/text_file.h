// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <aimlvideo/error.h>

namespace aimlvideo {

/// Reads a regular file of UTF-8 text, at most 1 MiB, whole. `property` names the setting in errors.
Result<std::string> readTextFile(const std::string &path, const std::string &property);

} // namespace aimlvideo
