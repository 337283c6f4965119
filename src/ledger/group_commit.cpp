// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/group_commit.h"

#include <algorithm>
#include <utility>

namespace aimlvideo::sqlite {

Done<void> GroupCommit::run(Work work) {
  Item mine{std::move(work), {}};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  changed_.wait(lock, [&] { return mine.result || !writing_; });
  if (mine.result)
    return *mine.result;

  // the first of those that came while the disk was busy writes for all of them
  writing_ = true;
  const std::vector<Item *> items = std::exchange(waiting_, {});
  lock.unlock();
  std::vector<Done<void>> results = carryOut(items);
  lock.lock();
  for (size_t i = 0; i < items.size(); ++i)
    items[i]->result = std::move(results[i]);
  writing_ = false;
  changed_.notify_all();
  return *mine.result;
}

std::vector<Done<void>> GroupCommit::carryOut(const std::vector<Item *> &items) {
  const std::lock_guard lock(use_);
  if (items.size() > 1 && together(items))
    return std::vector<Done<void>>(items.size());
  std::vector<Done<void>> results;
  results.reserve(items.size());
  for (const Item *item : items)
    results.push_back(item->work(database_));
  return results;
}

/// All in one transaction. False: nothing was written.
bool GroupCommit::together(const std::vector<Item *> &items) {
  if (!database_.execute("BEGIN IMMEDIATE"))
    return false;
  const bool done =
      std::all_of(items.begin(), items.end(), [this](const Item *item) { return item->work(database_).has_value(); });
  if (done && database_.execute("COMMIT"))
    return true;
  database_.execute("ROLLBACK");
  return false;
}

} // namespace aimlvideo::sqlite
