// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command.h"

namespace aimlvideo::cli {

ExitCode runBatch(const Arguments &) {
  return ExitCode::Usage;
}

} // namespace aimlvideo::cli
