// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/group_commit.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/loop.h"

namespace aimlvideo::sqlite {

namespace {

/// Nothing else keeps these waiting. There is more than one for the ledgers of several folders.
struct Writers : Workers {
  Writers() : Workers(8) {}
};

void onWriter(const std::function<void()> &work) {
  try {
    Loop::instance().own<Writers>().push(work);
  } catch (const std::system_error &) {
    work(); // the system has no thread left: late is better than never
  }
}

} // namespace

Done<void> GroupCommit::run(Work work) {
  const auto mine = std::make_shared<Item>();
  mine->work = std::move(work);
  Lock lock(mutex_);
  waiting_.push_back(mine);
  while (!mine->result && writing_)
    changed_.wait(lock);
  if (!mine->result) {
    // the first of those that came while the disk was busy writes for all of them
    writeAll();
    if (!finished_.empty() && !serving_) {
      const Executor executor = beginServing();
      auto owner = finished_.front()->owner;
      lock.unlock();
      start(executor, std::move(owner));
    }
  }
  return *mine->result;
}

void GroupCommit::submit(Work work, Report report, std::shared_ptr<const void> owner) {
  auto item = std::make_shared<Item>();
  item->work = std::move(work);
  item->report = std::move(report);
  item->owner = owner;
  Lock lock(mutex_);
  waiting_.push_back(std::move(item));
  if (serving_)
    return;
  const Executor executor = beginServing();
  lock.unlock();
  start(executor, std::move(owner));
}

void GroupCommit::setExecutor(Executor executor) {
  const Lock lock(mutex_);
  executor_ = std::move(executor);
}

/// Writes what waits, with the mutex released meanwhile.
void GroupCommit::writeAll() {
  writing_ = true;
  const Items items = std::exchange(waiting_, {});
  std::vector<Done<void>> results;
  {
    const Unlocked callingOut(mutex_);
    results = carryOut(items);
  }
  for (size_t i = 0; i < items.size(); ++i) {
    items[i]->result = std::move(results[i]);
    if (items[i]->report)
      finished_.push_back(items[i]);
  }
  writing_ = false;
  changed_.notifyAll();
}

/// For start(), which is called with the mutex released: this object may have gone at its end.
GroupCommit::Executor GroupCommit::beginServing() {
  serving_ = true;
  return executor_ ? executor_ : onWriter;
}

void GroupCommit::start(const Executor &executor, std::shared_ptr<const void> owner) {
  executor([this, owner = std::move(owner)] { serve(); });
}

/// What the worker does: reports, and writes where no thread in run() does.
void GroupCommit::serve() {
  Lock lock(mutex_);
  for (;;) {
    if (!finished_.empty()) {
      Items items = std::exchange(finished_, {});
      const Unlocked callingOut(mutex_);
      for (auto &item : items) {
        item->report(std::move(*item->result));
        item.reset();
      }
    } else if (writing_) {
      changed_.wait(lock);
    } else if (!waiting_.empty()) {
      writeAll();
    } else {
      serving_ = false;
      return;
    }
  }
}

std::vector<Done<void>> GroupCommit::carryOut(const Items &items) {
  const Lock lock(use_);
  if (items.size() > 1) {
    const auto begun = database_.run("BEGIN IMMEDIATE");
    if (!begun) // after a patience that the others should not need as well, one after the other
      return std::vector<Done<void>>(items.size(), begun);
    if (together(items))
      return std::vector<Done<void>>(items.size());
  }
  std::vector<Done<void>> results;
  results.reserve(items.size());
  for (const auto &item : items)
    results.push_back(item->work(database_));
  return results;
}

/// All in the transaction that has begun. False: nothing was written.
bool GroupCommit::together(const Items &items) {
  const bool done = std::all_of(items.begin(), items.end(), [this](const std::shared_ptr<Item> &item) REQUIRES(use_) {
    return item->work(database_).has_value();
  });
  if (done && database_.run("COMMIT"))
    return true;
  database_.run("ROLLBACK");
  return false;
}

} // namespace aimlvideo::sqlite
