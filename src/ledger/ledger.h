// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <aimlvideo/error.h>
#include <aimlvideo/ledger.h>
#include <aimlvideo/secret.h>
#include <aimlvideo/settings.h>

#include "api/endpoint.h"
#include "base/cancellation.h"
#include "base/mutex.h"
#include "ledger/group_commit.h"
#include "ledger/lock_file.h"
#include "ledger/observed_time.h"
#include "ledger/spending.h"
#include "ledger/sqlite.h"

namespace aimlvideo {

/// What was asked for and bought by one user, in one SQLite file that all of the user's processes share.
///
/// A write is on disk when its call returns (WAL, synchronous=FULL). Any thread; calls take milliseconds (those that
/// write at the same time share a sync), and up to ten seconds where other processes write. Errors are of the kind
/// NoSpace and say that nothing was bought, which is for the caller to correct where it is not so.
class Ledger : public std::enable_shared_from_this<Ledger> {
public:
  /// The ledger in a folder, one instance a process. A damaged file is moved aside and reported as an error once; the
  /// next call starts a new one. All of it is looked at only where it may be damaged: nobody has it open, and whoever
  /// had it last did not close it, or found it damaged.
  ///
  /// One process at a time opens it. Where that one does not get on, as a stopped one, this waits until the deadline,
  /// and some seconds at most.
  static Result<std::shared_ptr<Ledger>> open(const std::string &folder, Cancellation &cancellation,
                                              Clock::time_point deadline);
  static Result<std::shared_ptr<Ledger>> open(const std::string &folder);
  Ledger(const Ledger &) = delete;
  Ledger &operator=(const Ledger &) = delete;
  ~Ledger();

  /// The newest row of a request, with images of these validators. An unfinished one fits as well where one side has
  /// no validators: a host that did not answer must not lead to a second purchase.
  Result<std::optional<LedgerRow>> find(const std::string &identity, const std::string &validators);
  /// Whether there is any row of a request, whatever became of it.
  Result<bool> knows(const std::string &identity);
  /// The newest row of a generation of the service at a base URL, however that is spelled here and there.
  Result<std::optional<LedgerRow>> findGeneration(const std::string &baseUrl, const std::string &generationId);
  /// The base URLs of its rows that lead to the same service as this one, as they were spelled.
  Result<std::vector<std::string>> spellingsOf(const std::string &baseUrl);
  Result<std::optional<LedgerRow>> row(int64_t id);
  /// Newest first.
  Result<std::vector<LedgerRow>> rows();

  /// Adds a row, or writes a changed one. Sets `id` and the times.
  Result<void> write(LedgerRow &row);
  /// The same without waiting: `done` gets the row with its `id` and times, or the error, when it is on disk. It is
  /// called by the worker (see workOn()), which holds no lock, and the ledger lives until then. What is submitted while
  /// the disk is busy is written together, in the order of submission. A new row is submitted once: before `done`
  /// nobody knows its `id`.
  /// `mark`: what is delivered behind the row's clip from now on, unless that is decided already; empty: nothing is.
  void submitWrite(LedgerRow row, std::function<void(Result<LedgerRow>)> done, std::string mark = {});
  /// Writes that a row is about to be sent (state Intent), and counts it towards the limits on spending, in one
  /// transaction. BadRequest with `roomAt`: a limit has no room, and nothing is written. `usd`: what it is estimated to
  /// cost; empty: nobody asked, which is refused as well where there is a limit. `moment`: milliseconds since 1970, in
  /// whose day and month it counts. Otherwise as submitWrite().
  void submitIntent(LedgerRow row, std::optional<double> usd, int64_t moment,
                    std::function<void(Result<LedgerRow>)> done);

  /// Whether the limits have room for what is about to be bought, for those who want to know before they wait for their
  /// turn. Gives back what killed processes have reserved, if that is in the way. Errors as of submitIntent().
  Result<void> lookForRoom(const std::string &baseUrl, const std::string &model, double usd, int64_t moment);

  /// The limits on spending, those for all models together first.
  Result<std::vector<SpendingLimit>> limits();
  /// One for each period and model. It holds for what is begun from now on.
  Result<void> setLimit(const SpendingLimit &limit);
  /// Removes those of a period or a model, or all.
  Result<void> unsetLimits(std::optional<Period> period, const std::optional<std::string> &model);
  /// What is used of each limit at a moment (milliseconds since 1970), at the service at a base URL.
  Result<std::vector<Spending>> spending(const std::string &baseUrl, int64_t moment);
  /// Gives back what was reserved since a moment by those who are gone and have sent nothing. True: there were some.
  Result<bool> releaseAbandoned(int64_t since);
  /// A purchase goes on counting towards the limits for what it counts now, whatever its row says later.
  Result<void> countApart(int64_t id);

  /// The XMP packet that is delivered behind a row's clip; empty: that is not decided yet.
  Result<std::string> mark(int64_t id);
  Result<void> remove(int64_t id);
  /// Notes what the file of a row's clip looks like and its SHA-256, where that is known, if it still has that clip.
  Result<void> setStored(int64_t id, const std::string &clip, const std::string &checksum, const std::string &proof);
  /// Notes what a row was bought for and what is made of it. An empty text changes nothing.
  Result<void> describe(int64_t id, const std::string &prompt, const std::string &output);

  /// Whether prompts are kept, by the user's choice and by who can read the files.
  bool keepsPrompts(StorePrompt choice) const;
  /// Its user bought when prompts were not kept by default, and has to be told. Any thread, waits for nothing.
  bool noticeDue() const { return noticeDue_; }
  /// True once: now the user is told.
  bool takeNotice();

  /// Adds what a generation took, and forgets the oldest beyond the newest 64 of its kind.
  Result<void> addTime(const ObservedTime &time);
  /// The same without waiting, see submitWrite().
  void submitTime(const ObservedTime &time, std::function<void(Result<void>)> done);
  /// What the generations of a model took at the service at a base URL, newest first.
  Result<std::vector<ObservedTime>> times(const std::string &baseUrl, const std::string &model) EXCLUDES(mutex_);

  /// Tells two keys apart and tells nothing of a key: a keyed hash with a salt of this ledger.
  std::string fingerprint(const Secret &key) const;

  const std::string &folder() const { return folder_; }

  /// Its file in a folder.
  static std::string fileIn(const std::string &folder) { return folder + "/ledger.sqlite3"; }
  /// The newest version of its form that this program knows.
  static uint64_t newestSchema();

  /// Where the worker for what is submitted runs, such as a pool of threads; a thread for ledgers otherwise.
  void workOn(sqlite::GroupCommit::Executor executor) { writes_.setExecutor(std::move(executor)); }

private:
  class Connections;

  Ledger(std::string folder, LockFile presence, sqlite::Database database)
      : folder_(std::move(folder)), presence_(std::move(presence)), database_(std::move(database)) {}
  sqlite::Done<void> prepare(bool wholly) EXCLUDES(mutex_);
  Result<std::vector<std::string>> textsOf(const char *sql, const std::vector<std::string> &values = {})
      EXCLUDES(mutex_);
  /// What a function finds in the database.
  template <typename T>
  Result<T> read(const std::function<sqlite::Done<T>(sqlite::Database &)> &look) EXCLUDES(mutex_);
  /// The same for what changes it.
  Result<void> change(sqlite::GroupCommit::Work work) EXCLUDES(mutex_);
  Result<std::vector<LedgerRow>> select(const std::string &condition, const std::vector<std::string> &values)
      EXCLUDES(mutex_);

  const std::string folder_;
  LockFile presence_; ///< tells other processes that the database is open; given back after it is closed
  std::string salt_;
  std::atomic<bool> noticeDue_ = false;
  Mutex mutex_;
  sqlite::Database database_ GUARDED_BY(mutex_);
  sqlite::GroupCommit writes_{database_, mutex_};
};

} // namespace aimlvideo
