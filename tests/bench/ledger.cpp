// SPDX-License-Identifier: LGPL-2.1-or-later
/// What the ledger adds to a generation: its ownership and its five durable writes, in milliseconds.
///
///   ledger [GENERATIONS]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "ledger/folders.h"
#include "ledger/ledger.h"
#include "ledger/ownership.h"

using namespace aimlvideo;

int main(int argc, char **argv) {
  const size_t generations = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 200;
  const std::string folder = stateFolder() + "/bench";
  std::vector<double> times;
  for (size_t i = 0; i < generations; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    LedgerRow row;
    row.identity = row.owner = "identity" + std::to_string(i);
    const auto ledger = Ledger::open(folder);
    const auto owned = Ownership::take(folder, row.owner);
    if (!ledger || !owned || !(*ledger)->find(row.identity, ""))
      return 1;
    for (const auto state : {LedgerRow::State::Intent, LedgerRow::State::Sent, LedgerRow::State::Running,
                             LedgerRow::State::Completed, LedgerRow::State::Completed}) {
      row.state = state;
      if (!(*ledger)->write(row))
        return 1;
    }
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("%zu generations: median %.1f ms, worst %.1f ms\n", times.size(), times[times.size() / 2], times.back());
  return 0;
}
