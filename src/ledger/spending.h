// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <aimlvideo/error.h>

#include "ledger/sqlite.h"

namespace aimlvideo {

/// A calendar day or month, in UTC.
enum class Period { Day, Month };

/// The word for it: `day`.
const char *nameOf(Period period);

/// From its first millisecond to the first of the next one, since 1970.
struct TimeSpan {
  int64_t from = 0;
  int64_t until = 0;
};

/// The day or month that a moment is in, in milliseconds since 1970.
TimeSpan spanOf(Period period, int64_t moment);

/// What may be spent in a period at one service, whoever asks and however.
struct SpendingLimit {
  Period period = Period::Day;
  std::string model; ///< its id in the catalogue, or its name where that has none; empty: all models together
  double usd = 0;

  /// Whether a purchase of a model counts, by whatever name the request calls it.
  bool concerns(const std::string &name) const;
};

/// `20.00 USD a day for MODEL`.
std::string textOf(const SpendingLimit &limit);

/// How much of a limit is used. By estimates where the cost is not known.
struct Spending {
  SpendingLimit limit;
  TimeSpan span;
  double spent = 0;    ///< USD, of what is made or accepted
  double reserved = 0; ///< USD, of what is about to be bought, or whose outcome or cost is not known yet
  int64_t unpriced =
      0; ///< purchases that are not counted: they were begun without a limit, and nobody knows their cost

  double used() const { return spent + reserved; }
  double left() const;
};

/// The spending of a service as the ledger has it. The limits and what counts towards them are tables of the ledger, so
/// these are for what runs there: see Ledger::limits() and so on.
namespace spending {

constexpr auto schema = R"sql(
      CREATE TABLE spending_limit (
        period TEXT NOT NULL,
        model TEXT NOT NULL,
        usd REAL NOT NULL,
        PRIMARY KEY (period, model));
      CREATE TABLE spending (
        purchase INTEGER UNIQUE,
        begun INTEGER NOT NULL,
        base_url TEXT NOT NULL,
        model TEXT NOT NULL,
        usd REAL);
      CREATE INDEX spending_by_time ON spending (begun);
      CREATE INDEX purchase_by_time ON purchase (created);
)sql";

/// What is about to be bought.
struct Candidate {
  int64_t purchase = 0; ///< its row in the ledger
  bool isNew = true;    ///< which was written a moment ago for the first time
  std::string baseUrl;
  std::string model;
  std::optional<double> usd; ///< estimated; empty: nobody asked
  int64_t begun = 0;         ///< milliseconds since 1970: its period is the one that this is in
};

/// Those for all models together first.
sqlite::Done<std::vector<SpendingLimit>> limitsIn(sqlite::Database &database);
sqlite::Done<void> set(sqlite::Database &database, const SpendingLimit &limit);
/// `period`, `model`: those of this one alone; empty: of all.
sqlite::Done<void> unset(sqlite::Database &database, std::optional<Period> period,
                         const std::optional<std::string> &model);

/// The limits that a moment falls under, at the service at a base URL.
sqlite::Done<std::vector<Spending>> spendingIn(sqlite::Database &database, const std::string &baseUrl, int64_t moment);

/// Counts the candidate from now on, in the transaction that has begun, in which nobody else writes. An error instead
/// where a limit has no room: the transaction is to be taken back then.
sqlite::Done<std::optional<Error>> reserve(sqlite::Database &database, const Candidate &candidate);

/// Why the candidate, which does not count yet, has no room now. Empty: it has.
sqlite::Done<std::optional<Error>> refusalOf(sqlite::Database &database, const Candidate &candidate);

/// A purchase goes on counting for what it counts now, whatever becomes of its row.
sqlite::Done<void> countApart(sqlite::Database &database, int64_t purchase);

/// A purchase that was about to be sent, with the name of its lock.
struct Reservation {
  int64_t purchase = 0;
  std::string owner;
};
/// Those since a moment. Their processes may be gone.
sqlite::Done<std::vector<Reservation>> reservationsIn(sqlite::Database &database, int64_t since);
/// Nothing was sent, and nothing will be without another reservation.
sqlite::Done<void> release(sqlite::Database &database, int64_t purchase);

} // namespace spending

} // namespace aimlvideo
