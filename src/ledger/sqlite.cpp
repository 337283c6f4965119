// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/sqlite.h"

#include "base/glib_ptr.h"

namespace aimlvideo::sqlite {

namespace {

/// How long a statement waits for other processes; theirs take milliseconds.
constexpr int patience = 10000; // ms

} // namespace

bool Fault::damaged() const {
  const int primary = code & 0xff;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

Connection::~Connection() {
  for (const auto &[text, statement] : idle)
    sqlite3_finalize(statement);
  sqlite3_close_v2(handle);
}

void Statement::GiveBack::operator()(sqlite3_stmt *statement) const {
  sqlite3_reset(statement); // its result was reported by the step
  sqlite3_clear_bindings(statement);
  if (!connection->idle.try_emplace(sqlite3_sql(statement), statement).second)
    sqlite3_finalize(statement);
}

Statement &Statement::bind(std::string_view text) {
  const int result =
      sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (fault_ == SQLITE_OK)
    fault_ = result;
  return *this;
}

Statement &Statement::bind(int64_t number) {
  const int result = sqlite3_bind_int64(statement_.get(), ++bound_, number);
  if (fault_ == SQLITE_OK)
    fault_ = result;
  return *this;
}

Statement &Statement::bind(const std::optional<double> &number) {
  ++bound_;
  const int result =
      number ? sqlite3_bind_double(statement_.get(), bound_, *number) : sqlite3_bind_null(statement_.get(), bound_);
  if (fault_ == SQLITE_OK)
    fault_ = result;
  return *this;
}

Done<bool> Statement::step() {
  if (fault_ != SQLITE_OK)
    return tl::unexpected(Fault{fault_, sqlite3_errstr(fault_)});
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW)
    return true;
  if (result == SQLITE_DONE)
    return false;
  sqlite3 *handle = sqlite3_db_handle(statement_.get());
  return tl::unexpected(Fault{sqlite3_extended_errcode(handle), sqlite3_errmsg(handle)});
}

std::string Statement::text(int column) const {
  const auto *bytes = reinterpret_cast<const char *>(sqlite3_column_text(statement_.get(), column));
  if (!bytes)
    return "";
  const auto size = static_cast<gssize>(sqlite3_column_bytes(statement_.get(), column));
  if (g_utf8_validate_len(bytes, static_cast<gsize>(size), nullptr))
    return {bytes, static_cast<size_t>(size)};
  const GCharPtr valid(g_utf8_make_valid(bytes, size));
  return valid.get();
}

std::optional<double> Statement::number(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL)
    return std::nullopt;
  return sqlite3_column_double(statement_.get(), column);
}

Done<Database> Database::open(const std::string &path, Access access) {
  sqlite3 *handle = nullptr;
  const int flags = access == Access::Write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  const int result =
      sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database(handle);
  if (result != SQLITE_OK)
    return tl::unexpected(handle ? database.fault() : Fault{result, sqlite3_errstr(result)});
  sqlite3_busy_timeout(handle, patience);
  // what someone put into the file must not act on what is written to it
  for (const int power : {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_TRUSTED_SCHEMA})
    sqlite3_db_config(handle, power, 0, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  return database;
}

Done<Statement> Database::prepare(std::string_view sql) {
  auto &idle = connection_->idle;
  if (const auto known = idle.find(sql); known != idle.end())
    return Statement(idle.extract(known).mapped(), connection_.get());
  sqlite3_stmt *statement = nullptr;
  const int result = sqlite3_prepare_v3(connection_->handle, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK)
    return tl::unexpected(fault());
  ++connection_->compiled;
  return Statement(statement, connection_.get());
}

Done<void> Database::execute(const std::string &sql) {
  if (sqlite3_exec(connection_->handle, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return tl::unexpected(fault());
  return {};
}

Done<std::optional<std::string>> Database::value(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement)
    return tl::unexpected(statement.error());
  const auto row = statement->step();
  if (!row)
    return tl::unexpected(row.error());
  if (!*row)
    return std::optional<std::string>();
  return std::optional(statement->text(0));
}

Done<void> Database::atomically(const std::function<Done<bool>()> &work) {
  if (auto begun = run("SAVEPOINT change"); !begun)
    return begun;
  const auto stays = work();
  Done<void> done = stays ? Done<void>() : tl::unexpected(stays.error());
  if (stays && *stays)
    if (done = run("RELEASE change"); done)
      return done;
  run("ROLLBACK TO change");
  run("RELEASE change");
  return done;
}

void Database::leaveToParent() {
  sqlite3_db_config(connection_->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  close();
}

Fault Database::fault() const {
  return Fault{sqlite3_extended_errcode(connection_->handle), sqlite3_errmsg(connection_->handle)};
}

} // namespace aimlvideo::sqlite
