// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/tally.h"

#include <glib.h>

#include "ledger/file_system.h"
#include "ledger/ledger.h"
#include "ledger/ownership.h"
#include "ledger/sqlite.h"

namespace aimlvideo {

namespace {

using RowState = LedgerRow::State;

/// A word that this version does not know stands for what must not be bought again, as everywhere.
RowState stateNamed(const std::string &name) {
  for (int state = 0; state <= static_cast<int>(RowState::NotBought); ++state)
    if (name == nameOf(static_cast<RowState>(state)))
      return static_cast<RowState>(state);
  return RowState::Sent;
}

bool isUnfinished(RowState state) {
  return state == RowState::Intent || state == RowState::Sent || state == RowState::Running;
}

/// Calls `use` with each row of a query.
template <typename Use>
sqlite::Done<void> each(sqlite::Database &database, const char *sql, Use use) {
  auto statement = database.prepare(sql);
  if (!statement)
    return tl::unexpected(statement.error());
  for (;;) {
    const auto row = statement->step();
    if (!row)
      return tl::unexpected(row.error());
    if (!*row)
      return {};
    use(*statement);
  }
}

/// Jobs of one model and state that are alike, forgotten ones or not. `usd`: what the service said, whatever became of
/// them.
void addEver(LedgerTally::Ever &ever, RowState state, bool accepted, int64_t jobs, double usd, bool forgotten) {
  ever.accepted += accepted ? jobs : 0;
  ever.completed += state == RowState::Completed ? jobs : 0;
  ever.failed += state == RowState::Failed ? jobs : 0;
  ever.moderated += state == RowState::Moderated ? jobs : 0;
  ever.usd += state == RowState::Completed || (forgotten && state == RowState::Running) ? usd : 0;
}

sqlite::Done<void> countRows(sqlite::Database &database, LedgerTally &tally) {
  constexpr auto sql = "SELECT model, state, identity <> '', generation_id <> '', count(*), total(usd), min(created) "
                       "FROM purchase GROUP BY 1, 2, 3, 4";
  return each(database, sql, [&tally](const sqlite::Statement &row) {
    const std::string model = row.text(0);
    const RowState state = stateNamed(row.text(1));
    const bool isOwn = row.integer(2) != 0; // not only fetched by its id
    const int64_t count = row.integer(4);
    const double usd = row.number(5).value_or(0);
    auto &jobs = tally.jobs[model][state];
    jobs.present += count;
    jobs.usd += isOwn && (state == RowState::Running || state == RowState::Completed) ? usd : 0;
    auto &ever = tally.ever[model];
    if (isOwn)
      addEver(ever, state, row.integer(3) != 0, count, usd, false);
    if (!isUnfinished(state))
      return;
    auto &unfinished = tally.unfinished[state];
    const int64_t oldest = row.integer(6);
    if (unfinished.oldest == 0 || oldest < unfinished.oldest)
      unfinished.oldest = oldest;
  });
}

sqlite::Done<void> addForgotten(sqlite::Database &database, LedgerTally &tally) {
  return each(database, "SELECT model, state, accepted, jobs, usd FROM forgotten", [&tally](const auto &row) {
    addEver(tally.ever[row.text(0)], stateNamed(row.text(1)), row.integer(2) != 0, row.integer(3),
            row.number(4).value_or(0), true);
  });
}

sqlite::Done<void> lookForWorkers(sqlite::Database &database, const std::string &folder, LedgerTally &tally) {
  constexpr auto sql = "SELECT state, owner, count(*) FROM purchase "
                       "WHERE state NOT IN ('completed', 'failed', 'moderated', 'not-bought') GROUP BY 1, 2";
  return each(database, sql, [&](const sqlite::Statement &row) {
    if (Ownership::holder(folder, row.text(1)).empty())
      tally.unfinished[stateNamed(row.text(0))].unattended += row.integer(2);
  });
}

/// All of it in one transaction, so that it belongs together.
sqlite::Done<void> count(sqlite::Database &database, const std::string &folder, LedgerTally &tally) {
  auto done = database.execute("BEGIN");
  if (done)
    done = countRows(database, tally);
  if (done)
    done = addForgotten(database, tally);
  if (done)
    done = lookForWorkers(database, folder, tally);
  return done;
}

Failure notCounted(const std::string &folder, const std::string &why, const std::string &remedy) {
  return failure(ErrorKind::NoSpace, "the ledger of purchases in " + folder + " can't be read", why, remedy);
}

} // namespace

Result<LedgerTally> tallyLedger(const std::string &folder) {
  const std::string file = Ledger::fileIn(folder);
  LedgerTally tally;
  if (!g_file_test(file.c_str(), G_FILE_TEST_EXISTS))
    return tally;
  if (const std::string why = whyNotLocal(file); !why.empty())
    return notCounted(folder, why, remedyForShared);
  constexpr auto examine = "`aimlvideo doctor --offline` says more";
  auto database = sqlite::Database::open(file, sqlite::Database::Access::Read);
  if (!database)
    return notCounted(folder, database.error().message, examine);
  const auto schema = database->value("PRAGMA user_version");
  if (!schema)
    return notCounted(folder, schema.error().message, examine);
  if (schema->value_or("") != std::to_string(Ledger::newestSchema()))
    return notCounted(folder,
                      "it has the form of another version of this software (schema " + schema->value_or("") + ")",
                      "`aimlvideo jobs` brings one of an older version up to date; else use the newer version");
  if (const auto counted = count(*database, folder, tally); !counted)
    return notCounted(folder, counted.error().message, examine);
  return tally;
}

} // namespace aimlvideo
