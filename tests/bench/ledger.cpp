// SPDX-License-Identifier: LGPL-2.1-or-later
// What the ledger adds to a generation: its ownership and its five durable writes, as a Markdown table; for one at a
// time and for many at once, which share syncs.
//
//   ledger-bench [GENERATIONS]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/folders.h"
#include "ledger/ledger.h"
#include "ledger/ownership.h"

using namespace aimlvideo;

namespace {

double millisecondsSince(Clock::time_point then) {
  return std::chrono::duration<double, std::milli>(Clock::now() - then).count();
}

/// False: the ledger can't be used.
bool record(const std::string &folder, size_t number) {
  LedgerRow row;
  row.identity = row.owner = "identity" + std::to_string(number);
  const auto ledger = Ledger::open(folder);
  const auto owned = Ownership::take(folder, row.owner);
  if (!ledger || !owned || !(*ledger)->find(row.identity, ""))
    return false;
  for (const auto state : {LedgerRow::State::Intent, LedgerRow::State::Sent, LedgerRow::State::Running,
                           LedgerRow::State::Completed, LedgerRow::State::Completed}) {
    row.state = state;
    if (!(*ledger)->write(row))
      return false;
  }
  return true;
}

void measure(const std::string &folder, size_t generations, size_t threads) {
  const auto keptOpen = Ledger::open(folder);
  std::vector<double> times(generations);
  std::atomic<size_t> next = 0;
  const auto begun = Clock::now();
  std::vector<std::thread> workers;
  for (size_t i = 0; i < threads; ++i)
    workers.emplace_back([&] {
      for (size_t number = next++; number < generations; number = next++) {
        const auto start = Clock::now();
        if (!record(folder, number))
          std::abort();
        times[number] = millisecondsSince(start);
      }
    });
  for (std::thread &worker : workers)
    worker.join();
  const double all = millisecondsSince(begun);
  std::sort(times.begin(), times.end());
  std::printf("| %zu | %.1f | %.1f | %.1f |\n", threads, times[times.size() / 2], times.back(),
              all / static_cast<double>(generations));
  std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv) {
  const size_t generations = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 200;
  const std::string folder = stateFolder() + "/bench";
  std::puts("| generations at once | each takes, median ms | worst ms | ms a generation in all |\n|---|---|---|---|");
  for (const size_t threads : {1U, 10U, 100U, 1000U})
    measure(folder + std::to_string(threads), std::max(generations, threads), threads);
  return 0;
}
