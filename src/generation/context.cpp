// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/context.h"

namespace aimlvideo {

Failure stopped() {
  return failure(ErrorKind::Cancelled, "the generation was stopped");
}

} // namespace aimlvideo
