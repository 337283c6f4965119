// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/inspection.h"

#include <glib/gstdio.h>

#include "ledger/ledger.h"
#include "ledger/sqlite.h"

namespace aimlvideo {

namespace {

sqlite::Done<uint64_t> number(sqlite::Database &database, const char *sql) {
  const auto text = database.value(sql);
  if (!text)
    return tl::unexpected(text.error());
  return g_ascii_strtoull(text->value_or("0").c_str(), nullptr, 10);
}

sqlite::Done<void> inspect(const std::string &file, LedgerInspection &found) {
  auto database = sqlite::Database::open(file, sqlite::Database::Access::Read);
  if (!database)
    return tl::unexpected(database.error());
  const auto health = database->value("PRAGMA quick_check(1)");
  if (!health)
    return tl::unexpected(health.error());
  if (health->value_or("ok") != "ok")
    return tl::unexpected(sqlite::Fault{SQLITE_CORRUPT, **health});
  const auto schema = number(*database, "PRAGMA user_version");
  if (!schema)
    return tl::unexpected(schema.error());
  found.schema = *schema;
  if (found.schema != found.known)
    return {}; // its tables are called otherwise
  const auto jobs = number(*database, "SELECT count(*) FROM purchase");
  if (!jobs)
    return tl::unexpected(jobs.error());
  found.jobs = *jobs;
  return {};
}

} // namespace

LedgerInspection inspectLedger(const std::string &folder) {
  LedgerInspection found;
  found.known = Ledger::newestSchema();
  const std::string file = Ledger::fileIn(folder);
  GStatBuf facts{};
  if (g_stat(file.c_str(), &facts) != 0)
    return found;
  found.exists = true;
  found.bytes = static_cast<uint64_t>(facts.st_size);
  if (found.bytes == 0) {
    found.problem = "the file is empty";
    found.damaged = true;
    return found;
  }
  if (const auto done = inspect(file, found); !done) {
    found.problem = done.error().message;
    found.damaged = done.error().damaged();
  }
  return found;
}

std::vector<JobName> newestJobs(const std::string &folder, unsigned most) {
  auto database = sqlite::Database::open(Ledger::fileIn(folder), sqlite::Database::Access::Read);
  if (!database)
    return {};
  auto statement = database->prepare("SELECT id, state, model, prompt FROM purchase ORDER BY id DESC LIMIT ?");
  if (!statement)
    return {};
  statement->bind(static_cast<int64_t>(most));
  std::vector<JobName> jobs;
  for (;;) {
    const auto row = statement->step();
    if (!row || !*row)
      return jobs;
    jobs.push_back({statement->integer(0), statement->text(1), statement->text(2), statement->text(3)});
  }
}

} // namespace aimlvideo
