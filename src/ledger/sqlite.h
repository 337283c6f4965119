// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
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

/// A prepared statement. Parameters and columns count from 0.
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
  explicit Statement(sqlite3_stmt *statement) : statement_(statement, sqlite3_finalize) {}

  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt *)> statement_;
  int bound_ = 0;
  int fault_ = SQLITE_OK; ///< of a bind; told by step()
};

/// An open database. One thread at a time.
class Database {
public:
  /// Creates the file where there is none.
  static Done<Database> open(const std::string &path);

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
  int64_t lastRow() const { return sqlite3_last_insert_rowid(handle_.get()); }
  /// The first column of the first row; nothing where there is none.
  Done<std::optional<std::string>> value(std::string_view sql);

  /// Nothing can be done with it afterwards.
  void close() { handle_.reset(); }
  /// Closes the copy that a forked child has of its parent's, and changes nothing in the file. None of it may have been
  /// in use at the fork.
  void leaveToParent();

private:
  explicit Database(sqlite3 *handle) : handle_(handle, sqlite3_close_v2) {}
  Fault fault() const;

  std::unique_ptr<sqlite3, int (*)(sqlite3 *)> handle_;
};

} // namespace aimlvideo::sqlite
