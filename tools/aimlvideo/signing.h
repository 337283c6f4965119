// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>

#include <gio/gio.h>

#include <aimlvideo/error.h>
#include <aimlvideo/mark.h>

#include "base/glib_ptr.h"
#include "work_folder.h"

namespace aimlvideo::cli {

/// Whether a command of `--sign-with` can be run: its program exists. BadRequest.
Result<void> checkSigner(const std::string &command);

/// What is said of an output, as C2PA tools take it: a manifest definition in JSON.
std::string claimFor(const std::string &output, const std::string &type, const MarkFacts &facts);

/// Has a command of the user's sign what was made, before it gets its name: `COMMAND FILE CLAIM`, in the work folder,
/// which is nobody else's. It changes the file in place or puts another in its place.
///
/// For a thread that may wait; ends within ten minutes, or soon after `stop` is cancelled.
Result<void> sign(const std::string &command, WorkFolder &folder, const std::string &name, const std::string &claim,
                  GCancellable *stop);

} // namespace aimlvideo::cli
