// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/run.h"

namespace aimlvideo {

Task<void> Run::recordAfterwards(LedgerRow::State state) {
  const auto written = co_await purchase.record(state);
  if (!written)
    narrator.note("this could not be recorded in the ledger: " + written.error().why);
}

Failure stopped() {
  return failure(ErrorKind::Cancelled, "the generation was stopped");
}

} // namespace aimlvideo
