// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "ledger/sqlite.h"

namespace aimlvideo::sqlite {

/// Lets threads that write at the same time share one transaction, and so one wait for the disk: a thousand generations
/// that start together would otherwise stand in line for a sync each.
class GroupCommit {
public:
  /// Changes the database, and touches nothing else that another call could touch too. May be called a second time
  /// when the transaction had to be taken back.
  using Work = std::function<Done<void>(Database &)>;

  /// `use` is locked while the database is used, here and elsewhere.
  GroupCommit(Database &database, std::mutex &use) : database_(database), use_(use) {}

  /// Returns when the work is on disk, or has failed. One that fails takes no other with it. From any thread.
  Done<void> run(Work work);

private:
  struct Item {
    Work work;
    std::optional<Done<void>> result;
  };
  std::vector<Done<void>> carryOut(const std::vector<Item *> &items);
  bool together(const std::vector<Item *> &items);

  Database &database_;
  std::mutex &use_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool writing_ = false;
  std::vector<Item *> waiting_; ///< each belongs to a thread in run()
};

} // namespace aimlvideo::sqlite
