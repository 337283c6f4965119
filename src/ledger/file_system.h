// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

namespace aimlvideo {

/// What keeps two from buying the same, the locks of the ledger and the memory that SQLite's processes share, holds
/// where one kernel alone can reach the files.
struct FileSystem {
  std::string name; ///< for people; of one that this program does not know, its number
  bool isLocal;     ///< false: other machines or the host may reach it, or nobody can tell
};

/// By `f_type` of statfs(2). Pure.
FileSystem fileSystemOf(uint32_t type);

/// Why a ledger can't lie where an existing file or folder is, as a sentence; empty: it can. Asks the system, which
/// takes microseconds on a local disk.
std::string whyNotLocal(const std::string &path);

/// What to do about it.
constexpr auto remedyForShared =
    "Move that folder to a local disk of one machine, and name the folder above it in $XDG_STATE_HOME; in a container, "
    "a volume. The clips may lie anywhere";

} // namespace aimlvideo
