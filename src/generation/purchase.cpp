// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/purchase.h"

#include <cassert>

#include "base/loop.h"

namespace aimlvideo {

Task<Result<void>> Purchase::record(LedgerRow::State state) {
  assert(Loop::instance().isCurrent());
  row.state = state;
  if (state == LedgerRow::State::Completed && mark.empty())
    mark = makeMark(row);
  if (!ledger)
    co_return {};
  using Written = Result<std::unique_ptr<LedgerRow>>; // many wait for it at once, and a row is large
  ViaCallback<Written> answer([this](const auto &say) {
    const auto told = [say](Result<LedgerRow> done) {
      say(done ? Written(std::make_unique<LedgerRow>(std::move(*done))) : std::move(done).failure());
    };
    ledger->submitWrite(row, told, row.state == LedgerRow::State::Completed ? mark : "");
  });
  auto written = co_await answer;
  if (!written)
    co_return std::move(written).failure();
  row = std::move(**written);
  if (recorded)
    recorded(row.id);
  co_return {};
}

Task<void> Purchase::recordAfterwards(LedgerRow::State state, Narrator &narrator) {
  const auto written = co_await record(state);
  if (!written)
    narrator.note("this could not be recorded in the ledger: " + written.error().why);
}

bool Purchase::isBought() const {
  const bool running = row.state == LedgerRow::State::Running && (confirmed || (!row.identity.empty() && !doubted));
  return !row.generationId.empty() && (running || row.state == LedgerRow::State::Completed);
}

void Purchase::renew() {
  assert(Loop::instance().isCurrent());
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
  mark.clear();
  keptClip.clear();
  confirmed = false;
}

} // namespace aimlvideo
