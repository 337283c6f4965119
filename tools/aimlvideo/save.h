// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <aimlvideo/error.h>
#include <aimlvideo/spool.h>

#include "work_folder.h"

namespace aimlvideo::cli {

/// The path in an argument, which may be a `file:` URI.
std::string pathNamed(const std::string &argument);

/// A path to a clip's file, for this process and as long as the clip lives.
std::string pathOf(const Spool &clip);

/// Likewise to an open file.
std::string pathOf(const Descriptor &file);

/// Writes a complete clip into `target`, an empty file that errors call `file`.
Result<void> copyClip(const Spool &clip, int target, const std::string &file);

/// Likewise, all of a file, wherever it stands.
Result<void> copyFile(int source, int target, const std::string &file);

/// An open file that is gone with its descriptor, for reading and writing.
Result<Descriptor> namelessFile(const std::string &folder);

/// Writes a complete clip to a file, which has all of it or what it had before.
Result<void> saveClip(const Spool &clip, const std::string &file, Overwrite overwrite);

/// A line about what goes on, on standard error.
void printProgress(const std::string &text);

} // namespace aimlvideo::cli
