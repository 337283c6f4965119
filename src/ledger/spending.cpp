// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/spending.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include <aimlvideo/catalogue.h>
#include <aimlvideo/money.h>

#include "api/endpoint.h"
#include "base/glib_ptr.h"

namespace aimlvideo {

namespace {

constexpr double half = 1e-6; // of the smallest sum that counts
constexpr int64_t second = 1000;

std::string timeText(int64_t moment, const char *form) {
  const auto time = adopt(g_date_time_new_from_unix_utc(moment / second));
  const GCharPtr text(time ? g_date_time_format(time.get(), form) : nullptr);
  return text ? text.get() : "";
}

} // namespace

const char *nameOf(Period period) {
  return period == Period::Day ? "day" : "month";
}

TimeSpan spanOf(Period period, int64_t moment) {
  using namespace std::chrono;
  const sys_days day = floor<days>(sys_time<milliseconds>(milliseconds(moment)));
  sys_days from = day;
  sys_days until = day + days(1);
  if (period == Period::Month) {
    const year_month_day date(day);
    const year_month month = date.year() / date.month();
    from = month / 1;
    until = (month + months(1)) / 1;
  }
  const auto since1970 = [](sys_days time) {
    return int64_t{duration_cast<milliseconds>(time.time_since_epoch()).count()};
  };
  return {since1970(from), since1970(until)};
}

bool SpendingLimit::concerns(const std::string &name) const {
  if (model.empty() || model == name)
    return true;
  const Model *known = Catalogue::instance().find(name);
  return known && known->id == model;
}

std::string textOf(const SpendingLimit &limit) {
  return usdText(limit.usd) + " a " + nameOf(limit.period) + (limit.model.empty() ? "" : " for " + limit.model);
}

double Spending::left() const {
  return std::max(0.0, totalUsd({limit.usd, -used()}));
}

namespace spending {

namespace {

/// The columns of what counts: those that have a reservation, then those of before there were any, and of older
/// programs. What failed, and what was not bought, counts for nothing; what has no row any more for what was noted.
constexpr auto sumsByService = R"sql(
  WITH counted (base_url, model, state, cost, estimate) AS (
    SELECT s.base_url, s.model, COALESCE(p.state, 'gone'), COALESCE(p.usd, CASE WHEN p.id IS NULL THEN s.usd END), s.usd
      FROM spending s LEFT JOIN purchase p ON p.id = s.purchase WHERE s.begun >= ?1 AND s.begun < ?2
    UNION ALL
    SELECT base_url, model, state, usd, NULL FROM purchase p WHERE created >= ?1 AND created < ?2
      AND identity <> '' AND NOT EXISTS (SELECT 1 FROM spending s WHERE s.purchase = p.id))
  SELECT base_url, model,
    COALESCE(SUM(CASE WHEN state IN ('running', 'gone') THEN cost
      WHEN state = 'completed' THEN COALESCE(cost, estimate) END), 0),
    COALESCE(SUM(CASE WHEN state IN ('intent', 'sent') OR (state = 'running' AND cost IS NULL) THEN estimate END), 0),
    COUNT(CASE WHEN state IN ('sent', 'running', 'completed') AND COALESCE(cost, estimate) IS NULL THEN 1 END)
  FROM counted GROUP BY base_url, model
)sql";

sqlite::Done<Spending> spendingOf(sqlite::Database &database, const std::string &baseUrl, const SpendingLimit &limit,
                                  int64_t moment) {
  Spending sum{limit, spanOf(limit.period, moment)};
  auto statement = database.prepare(sumsByService);
  if (!statement)
    return tl::unexpected(statement.error());
  statement->bind(sum.span.from).bind(sum.span.until);
  const std::string service = serviceAt(baseUrl);
  for (;;) {
    const auto row = statement->step();
    if (!row)
      return tl::unexpected(row.error());
    if (!*row)
      return sum;
    if (serviceAt(statement->text(0)) != service || !limit.concerns(statement->text(1)))
      continue;
    sum.spent += statement->number(2).value_or(0);
    sum.reserved += statement->number(3).value_or(0);
    sum.unpriced += statement->integer(4);
  }
}

Error refusal(const Spending &limit, double usd) {
  const bool isDay = limit.limit.period == Period::Day;
  Error error = failure(ErrorKind::BadRequest, "the purchase would exceed the limit of " + textOf(limit.limit), "",
                        "Nothing was bought. ")
                    .value();
  error.why = usdText(limit.used()) + " are spent or reserved " +
              timeText(limit.span.from, isDay ? "on %Y-%m-%d (UTC)" : "in %Y-%m (UTC)") +
              ", and this is estimated at " + usdText(usd);
  if (usd > limit.limit.usd + half) {
    error.roomAt = std::numeric_limits<int64_t>::max();
    error.remedy += "It costs more than the limit is: raise it with `aimlvideo limit set`, or choose a shorter clip or "
                    "another model";
    return error;
  }
  error.roomAt = limit.span.until / second;
  error.remedy += "There is room again on " + timeText(limit.span.until, "%Y-%m-%d at %H:%M UTC");
  if (limit.reserved > half)
    error.remedy += ", or earlier, should some of the " + usdText(limit.reserved) + " that are reserved not be billed";
  error.remedy += "; `aimlvideo limit` shows the limits";
  return error;
}

/// That of the limit that lasts longest among those that have no room. `counted`: USD of the candidate that the limits
/// have counted already.
std::optional<Error> refusalBy(const std::vector<Spending> &limits, const Candidate &candidate, double counted) {
  std::optional<Error> refused;
  for (Spending limit : limits) {
    if (!limit.limit.concerns(candidate.model))
      continue;
    if (!candidate.usd)
      return failure(ErrorKind::BadRequest, "a limit on spending was set a moment ago (" + textOf(limit.limit) + ")",
                     "the price was not asked for", "Nothing was bought. Run it again")
          .value();
    limit.reserved -= counted;
    if (limit.used() + *candidate.usd <= limit.limit.usd + half)
      continue;
    Error error = refusal(limit, *candidate.usd);
    if (!refused || error.roomAt >= refused->roomAt)
      refused = std::move(error);
  }
  return refused;
}

sqlite::Done<std::vector<Reservation>> reservationsFrom(sqlite::Statement statement) {
  std::vector<Reservation> all;
  for (;;) {
    const auto row = statement.step();
    if (!row)
      return tl::unexpected(row.error());
    if (!*row)
      return all;
    all.push_back({statement.integer(0), statement.text(1)});
  }
}

} // namespace

sqlite::Done<std::vector<SpendingLimit>> limitsIn(sqlite::Database &database) {
  auto statement = database.prepare("SELECT period, model, usd FROM spending_limit ORDER BY model, period");
  if (!statement)
    return tl::unexpected(statement.error());
  std::vector<SpendingLimit> limits;
  for (;;) {
    const auto row = statement->step();
    if (!row)
      return tl::unexpected(row.error());
    if (!*row)
      return limits;
    limits.push_back({statement->text(0) == nameOf(Period::Month) ? Period::Month : Period::Day, statement->text(1),
                      statement->number(2).value_or(0)});
  }
}

sqlite::Done<void> set(sqlite::Database &database, const SpendingLimit &limit) {
  return database.run("INSERT INTO spending_limit VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET usd = excluded.usd",
                      nameOf(limit.period), limit.model, std::optional<double>(limit.usd));
}

sqlite::Done<void> unset(sqlite::Database &database, std::optional<Period> period,
                         const std::optional<std::string> &model) {
  return database.run("DELETE FROM spending_limit WHERE ? IN ('', period) AND (? OR model = ?)",
                      period ? nameOf(*period) : "", static_cast<int64_t>(!model), model.value_or(""));
}

sqlite::Done<std::vector<Spending>> spendingIn(sqlite::Database &database, const std::string &baseUrl, int64_t moment) {
  const auto limits = limitsIn(database);
  if (!limits)
    return tl::unexpected(limits.error());
  std::vector<Spending> all;
  for (const SpendingLimit &limit : *limits) {
    auto spending = spendingOf(database, baseUrl, limit, moment);
    if (!spending)
      return tl::unexpected(spending.error());
    all.push_back(std::move(*spending));
  }
  return all;
}

sqlite::Done<std::optional<Error>> reserve(sqlite::Database &database, const Candidate &candidate) {
  // a new row without an estimate says all of it by itself
  if (candidate.usd || !candidate.isNew) {
    const auto counts =
        database.run("INSERT INTO spending VALUES (?, ?, ?, ?, ?) ON CONFLICT (purchase) DO UPDATE SET "
                     "begun = excluded.begun, usd = excluded.usd",
                     candidate.purchase, candidate.begun, candidate.baseUrl, candidate.model, candidate.usd);
    if (!counts)
      return tl::unexpected(counts.error());
  }
  const auto limits = spendingIn(database, candidate.baseUrl, candidate.begun);
  if (!limits)
    return tl::unexpected(limits.error());
  return refusalBy(*limits, candidate, candidate.usd.value_or(0));
}

sqlite::Done<std::optional<Error>> refusalOf(sqlite::Database &database, const Candidate &candidate) {
  const auto limits = spendingIn(database, candidate.baseUrl, candidate.begun);
  if (!limits)
    return tl::unexpected(limits.error());
  return refusalBy(*limits, candidate, 0);
}

sqlite::Done<void> countApart(sqlite::Database &database, int64_t purchase) {
  auto counted = database.run(
      "INSERT INTO spending SELECT NULL, COALESCE(s.begun, p.created), p.base_url, p.model, COALESCE(p.usd, s.usd) "
      "FROM purchase p LEFT JOIN spending s ON s.purchase = p.id WHERE p.id = ? AND p.identity <> '' AND "
      "p.state IN ('sent', 'running', 'completed') AND COALESCE(p.usd, s.usd) IS NOT NULL",
      purchase);
  return counted ? database.run("DELETE FROM spending WHERE purchase = ?", purchase) : counted;
}

sqlite::Done<std::vector<Reservation>> reservationsIn(sqlite::Database &database, int64_t since) {
  auto statement = database.prepare("SELECT p.id, p.owner FROM spending s JOIN purchase p ON p.id = s.purchase WHERE "
                                    "s.begun >= ? AND p.state = 'intent' AND s.usd IS NOT NULL");
  if (!statement)
    return tl::unexpected(statement.error());
  statement->bind(since);
  return reservationsFrom(std::move(*statement));
}

sqlite::Done<void> release(sqlite::Database &database, int64_t purchase) {
  return database.run("UPDATE spending SET usd = NULL WHERE purchase = ? AND EXISTS (SELECT 1 FROM purchase WHERE "
                      "id = spending.purchase AND state = 'intent')",
                      purchase);
}

} // namespace spending

} // namespace aimlvideo
