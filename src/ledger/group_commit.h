// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "ledger/sqlite.h"

namespace aimlvideo::sqlite {

/// Lets those that write at the same time share one transaction, and so one wait for the disk: a thousand generations
/// that start together would otherwise stand in line for a sync each. What was asked for earlier is written no later.
class GroupCommit {
public:
  /// Changes the database, and touches nothing else that another call could touch too. May be called a second time
  /// when the transaction had to be taken back.
  using Work = std::function<Done<void>(Database &)>;
  /// Called once, when the work is on disk or has failed.
  using Report = std::function<void(Done<void>)>;
  /// Has a function called, later or on another thread.
  using Executor = std::function<void(std::function<void()>)>;

  /// `use` is locked while the database is used, here and elsewhere.
  GroupCommit(Database &database, std::mutex &use) : database_(database), use_(use) {}

  /// Returns when the work is on disk, or has failed. One that fails takes no other with it. From any thread.
  Done<void> run(Work work);

  /// As run(), but returns at once and reports from the worker, which holds no lock then. There is one worker at a
  /// time, and only while there is something for it to do. `owner` keeps this object alive until then.
  void submit(Work work, Report report, std::shared_ptr<const void> owner);

  /// Where the worker runs from its next start on; a thread for ledgers otherwise. From any thread.
  void setExecutor(Executor executor);

private:
  struct Item {
    Work work;
    Report report; ///< empty: a thread in run() waits for the result
    std::shared_ptr<const void> owner;
    std::optional<Done<void>> result;
  };
  using Items = std::vector<std::shared_ptr<Item>>;

  void writeAll(std::unique_lock<std::mutex> &lock);
  void start(std::unique_lock<std::mutex> &lock, std::shared_ptr<const void> owner);
  void serve();
  std::vector<Done<void>> carryOut(const Items &items);
  bool together(const Items &items);

  Database &database_;
  std::mutex &use_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Executor executor_;
  bool writing_ = false;
  bool serving_ = false; ///< there is a worker, or it was asked for
  Items waiting_;
  Items finished_; ///< not reported yet
};

} // namespace aimlvideo::sqlite
