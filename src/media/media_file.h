// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <aimlvideo/error.h>

namespace aimlvideo {

/// The largest file that is sent, in bytes: the largest limit that the service documents for any model.
constexpr size_t maximumMediaSize = 50'000'000;

/// The path that a reference names; a `file:` URI is decoded. `property` names the setting in errors.
Result<std::string> pathIn(const std::string &reference, const std::string &property);

/// Reads a regular file whole. `wanted` says in errors what to give instead.
Result<std::string> readMediaFile(const std::string &path, const std::string &property, const std::string &wanted);

/// A data URI with the bytes in base64.
std::string dataUriOf(const std::string &bytes, const std::string &type);

} // namespace aimlvideo
