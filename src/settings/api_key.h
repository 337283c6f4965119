// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <string>

#include <aimlvideo/error.h>
#include <aimlvideo/secret.h>

namespace aimlvideo {

/// The environment variables that may hold one, in the order in which they are asked.
inline constexpr std::array apiKeyVariables{"AIMLAPI_KEY", "AIMLAPI_API_KEY", "AIML_API_KEY"};

/// A key, and what its owner should hear about how it is kept.
struct FoundKey {
  Secret key;
  std::string warning; ///< empty: nothing
  std::string place;   ///< where it was found: `$AIMLAPI_KEY`, a file's path
};

/// Fails when there is no place to look for a key in. Reads no file.
Result<void> checkKeyIsNamed(const Secret &given, const std::string &file);

/// The key that is given, else the first line of `file`, else `$AIMLAPI_KEY` and its other names, else systemd's
/// credential. One that can't stand in an HTTP header is refused.
Result<FoundKey> findKey(const Secret &given, const std::string &file);

} // namespace aimlvideo
