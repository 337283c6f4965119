// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aimlvideo::cli {

/// SHA-256 of a file, or of the files in a folder by name. Empty: it is not there or can't be read.
std::string checksumOf(const std::string &path);

} // namespace aimlvideo::cli
