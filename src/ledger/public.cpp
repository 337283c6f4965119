// SPDX-License-Identifier: LGPL-2.1-or-later
// What the headers of the library offer of the ledger.
#include <aimlvideo/folders.h>
#include <aimlvideo/ledger.h>

#include "ledger/ledger.h"
#include "ledger/ownership.h"

namespace aimlvideo {

Result<std::vector<LedgerRow>> ledgerRows() {
  return Ledger::open(stateFolder()).and_then([](const auto &ledger) { return ledger->rows(); });
}

Result<std::optional<LedgerRow>> ledgerRow(int64_t id) {
  return Ledger::open(stateFolder()).and_then([&](const auto &ledger) { return ledger->row(id); });
}

Result<std::optional<LedgerRow>> findPurchase(const std::string &identity) {
  return Ledger::open(stateFolder()).and_then([&](const auto &ledger) { return ledger->find(identity, ""); });
}

std::string workerOn(const LedgerRow &row) {
  return Ownership::holder(stateFolder(), row.owner);
}

} // namespace aimlvideo
