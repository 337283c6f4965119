// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <gio/gio.h>

#include <aimlvideo/error.h>
#include <aimlvideo/mark.h>
#include <aimlvideo/secret.h>

#include "work_folder.h"

namespace aimlvideo::cli {

/// A command of the user's that signs what was made: `COMMAND FILE CLAIM`, see docs/provenance.md.
struct Signer {
  std::string command; ///< empty: nobody signs
  Secret key;          ///< of the service: it does not belong into what the command says
};

/// Whether its program exists. BadRequest.
Result<void> checkSigner(const std::string &command);

/// What is said of an output, as C2PA tools take it: a manifest definition in JSON.
std::string claimFor(const std::string &output, const std::string &type, const MarkFacts &facts);

/// Has a file signed in the work folder, which is nobody else's, before it gets its name. The command changes it in
/// place or puts another in its place, which has to begin as a file of this type does.
///
/// For a thread that may wait; ends within ten minutes, or soon after `stop` is cancelled.
Result<void> sign(const Signer &signer, WorkFolder &folder, const std::string &name, const std::string &type,
                  const std::string &claim, GCancellable *stop);

} // namespace aimlvideo::cli
