// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
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
  GroupCommit(Database &database, Mutex &use) : use_(use), database_(database) {}

  /// Returns when the work is on disk, or has failed. One that fails takes no other with it. From any thread.
  Done<void> run(Work work) EXCLUDES(mutex_, use_);

  /// As run(), but returns at once and reports from the worker, which holds no lock then. There is one worker at a
  /// time, and only while there is something for it to do. `owner` keeps this object alive until then.
  void submit(Work work, Report report, std::shared_ptr<const void> owner) EXCLUDES(mutex_);

  /// Where the worker runs from its next start on; a thread for ledgers otherwise. From any thread.
  void setExecutor(Executor executor) EXCLUDES(mutex_);

private:
  struct Item {
    Work work;
    Report report; ///< empty: a thread in run() waits for the result
    std::shared_ptr<const void> owner;
    std::optional<Done<void>> result;
  };
  using Items = std::vector<std::shared_ptr<Item>>;

  void writeAll() REQUIRES(mutex_);
  Executor beginServing() REQUIRES(mutex_);
  void start(const Executor &executor, std::shared_ptr<const void> owner) EXCLUDES(mutex_);
  void serve() EXCLUDES(mutex_);
  std::vector<Done<void>> carryOut(const Items &items) EXCLUDES(use_);
  bool together(const Items &items) REQUIRES(use_);

  Mutex &use_;
  Database &database_ GUARDED_BY(use_);

  Mutex mutex_;
  Condition changed_;
  Executor executor_ GUARDED_BY(mutex_);
  bool writing_ GUARDED_BY(mutex_) = false;
  bool serving_ GUARDED_BY(mutex_) = false; ///< there is a worker, or it was asked for
  Items waiting_ GUARDED_BY(mutex_);
  Items finished_ GUARDED_BY(mutex_); ///< not reported yet
};

} // namespace aimlvideo::sqlite
