// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include <aimlvideo/clip_store.h>
#include <aimlvideo/error.h>

#include "base/cancellation.h"
#include "clip/spool.h"

namespace aimlvideo {

/// What an entry looks like, without reading all of it: its file's number, size and time to the nanosecond, its first
/// and its last bytes. Who changes it in place, or puts another into its place, changes this. Empty: it can't be read.
std::string looksOf(const Spool &spool);

/// Writes what is not there yet of a complete spool to the disk, so that it outlasts a power cut. False: cancelled,
/// which is heeded for what takes long only. Blocks.
Result<bool> syncToDisk(const Spool &spool, const Cancellation &cancellation);

/// SHA-256 of a complete spool, in hex. Nothing when cancelled or unreadable.
std::optional<std::string> checksumOf(const Spool &spool, const Cancellation &cancellation);

} // namespace aimlvideo
