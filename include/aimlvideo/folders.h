// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <aimlvideo/export.h>

namespace aimlvideo {

/// `$XDG_STATE_HOME/aimlvideo`: the ledger and its locks. Must be on a local disk.
AIMLVIDEO_API std::string stateFolder();

/// `$XDG_CACHE_HOME/aimlvideo`: what can be fetched again.
AIMLVIDEO_API std::string cacheFolder();

/// The clip store in it.
AIMLVIDEO_API std::string clipFolder();

} // namespace aimlvideo
