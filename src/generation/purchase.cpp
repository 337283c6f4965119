// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generation/purchase.h"

#include <cassert>

#include "base/loop.h"

namespace aimlvideo {

namespace {

template <typename Written, typename Say>
auto tellingOf(const Say &say) {
  return [say](Result<LedgerRow> done) {
    say(done ? Written(std::make_unique<LedgerRow>(std::move(*done))) : std::move(done).failure());
  };
}

} // namespace

Task<Result<void>> Purchase::record(LedgerRow::State state) {
  assert(Loop::instance().isCurrent());
  row.state = state;
  if (state == LedgerRow::State::Completed && mark.empty())
    mark = makeMark(row);
  if (!ledger)
    co_return {};
  ViaCallback<Written> answer([this](const auto &say) {
    ledger->submitWrite(row, tellingOf<Written>(say), row.state == LedgerRow::State::Completed ? mark : "");
  });
  auto written = co_await answer;
  co_return takeOver(std::move(written));
}

Task<Result<void>> Purchase::reserve() {
  assert(Loop::instance().isCurrent());
  const int64_t moment = g_get_real_time() / 1000;
  ViaCallback<Written> answer(
      [this, moment](const auto &say) { ledger->submitIntent(row, price, moment, tellingOf<Written>(say)); });
  auto written = co_await answer;
  co_return takeOver(std::move(written));
}

Result<void> Purchase::takeOver(Written written) {
  if (!written)
    return std::move(written).failure();
  row = std::move(**written);
  if (recorded)
    recorded(row.id);
  return {};
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
