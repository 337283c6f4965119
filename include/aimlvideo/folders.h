// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "base/error.h"

namespace aimlvideo {

/// `$XDG_STATE_HOME/aimlvideo`: the ledger and its locks. Has to be on a local disk.
std::string stateFolder();

/// `$XDG_CACHE_HOME/aimlvideo`: what can be fetched again.
std::string cacheFolder();

/// The clip store in it.
std::string clipFolder();

/// Makes a folder that only its user can enter (0700), with those above it. The error is the system's words.
tl::expected<void, std::string> makePrivateFolder(const std::string &path);

} // namespace aimlvideo
