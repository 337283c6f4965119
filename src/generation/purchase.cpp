// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/purchase.h"

namespace aimlvideo {

Result<void> Purchase::record(LedgerRow::State state) {
  row.state = state;
  return ledger ? ledger->write(row) : Result<void>();
}

bool Purchase::isBought() const {
  const bool running = row.state == LedgerRow::State::Running && (confirmed || (!row.identity.empty() && !doubted));
  return !row.generationId.empty() && (running || row.state == LedgerRow::State::Completed);
}

void Purchase::renew() {
  LedgerRow next;
  next.identity = row.identity;
  next.owner = row.owner;
  next.validators = row.validators;
  next.replayable = row.replayable;
  next.baseUrl = row.baseUrl;
  row = std::move(next);
  byOtherKey = false;
  wasCompleted = false;
  doubted = false;
  keptClip.clear();
  confirmed = false;
}

} // namespace aimlvideo
