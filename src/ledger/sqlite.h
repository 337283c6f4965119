// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sqlite3.h>
#include <tl/expected.hpp>

namespace aimlvideo::sqlite {

/// What SQLite says went wrong.
struct Fault {
  int code = SQLITE_ERROR; ///< extended result code
  std::string message;

  /// The file is no database, or a damaged one.
  bool damaged() const;
};

template <typename T>
using Done = tl::expected<T, Fault>;

/// A connection with the statements that it has compiled, by their text, each while nobody uses it.
struct Connection {
  explicit Connection(sqlite3 *opened) : handle(opened) {}
  Connection(const Connection &) = delete;
  Connection &operator=(const Connection &) = delete;
  ~Connection();

  sqlite3 *const handle;
  std::map<std::string, sqlite3_stmt *, std::less<>> idle;
  unsigned compiled = 0; ///< statements so far
};

/// A prepared statement. Parameters and columns count from 0. Ends before its database is closed.
class Statement {
public:
  Statement &bind(std::string_view text);
  Statement &bind(const std::string &text) { return bind(std::string_view(text)); }
  Statement &bind(const char *text) { return bind(std::string_view(text)); }
  Statement &bind(int64_t number);
  Statement &bind(const std::optional<double> &number);

  /// True: there is a row, to be read by the functions below until the next step.
  Done<bool> step();

  int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  /// Valid UTF-8, whatever the file holds. Empty for NULL.
  std::string text(int column) const;
  /// Nothing for NULL.
  std::optional<double> number(int column) const;

private:
  friend class Database;
  struct GiveBack {
    Connection *connection;
    void operator()(sqlite3_stmt *statement) const;
  };
  Statement(sqlite3_stmt *statement, Connection *connection) : statement_(statement, GiveBack{connection}) {}

  std::unique_ptr<sqlite3_stmt, GiveBack> statement_;
  int bound_ = 0;
  int fault_ = SQLITE_OK; ///< of a bind; reported by step()
};

/// An open database. One thread at a time.
class Database {
public:
  enum class Access { Write, Read };
  /// Creates the file where there is none, unless it is for reading.
  static Done<Database> open(const std::string &path, Access access = Access::Write);

  /// Each text is compiled once, so texts must be few: what varies is bound.
  Done<Statement> prepare(std::string_view sql);
  /// One or more statements whose rows do not matter.
  Done<void> execute(const std::string &sql);
  /// One statement whose rows do not matter, with its parameters.
  template <typename... Values>
  Done<void> run(std::string_view sql, const Values &...values) {
    auto statement = prepare(sql);
    if (!statement)
      return tl::unexpected(statement.error());
    (statement->bind(values), ...);
    const auto stepped = statement->step();
    if (!stepped)
      return tl::unexpected(stepped.error());
    return {};
  }
  int64_t lastRow() const { return sqlite3_last_insert_rowid(connection_->handle); }
  /// The first column of the first row; empty if there is none.
  Done<std::optional<std::string>> value(std::string_view sql);

  /// Changes that are made all or not at all, within a transaction or as one. The work says whether they stay; its
  /// first statement writes, so that nobody else can in between.
  Done<void> atomically(const std::function<Done<bool>()> &work);

  /// How many statements it has compiled so far.
  unsigned compiled() const { return connection_->compiled; }

  /// Nothing can be done with it afterwards.
  void close() { connection_.reset(); }
  /// Closes the copy that a forked child has of its parent's, and changes nothing in the file. None of it may have been
  /// in use at the fork.
  void leaveToParent();

private:
  explicit Database(sqlite3 *handle) : connection_(std::make_unique<Connection>(handle)) {}
  Fault fault() const;

  std::unique_ptr<Connection> connection_;
};

} // namespace aimlvideo::sqlite
