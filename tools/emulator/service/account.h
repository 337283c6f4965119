// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <optional>
#include <string>

#include <tl/expected.hpp>

#include "emulator/service/task.h"
#include "emulator/wire/http.h"

namespace aimlvideo::emulator {

/// The money of the account, which all keys share.
class Account {
public:
  explicit Account(double start);

  /// USD, less what was charged.
  double balance() const { return start_ - charged_; }
  /// Sets aside what a generation will cost. False if there is not enough.
  bool hold(const Cost &cost);
  /// Of what was held: the generation has ended, and is charged for unless it failed.
  void settle(const Task &task);
  void reset();

  /// GET /v2/billing/transactions
  Response transactions(const Request &request) const;
  /// GET /v2/usage
  Response usage(const Request &request) const;

private:
  struct Charge {
    gint64 time = 0; ///< microseconds since 1970
    std::string model, inferenceId, keyStart;
    double usd = 0;
  };
  /// Which entries a listing is asked for. Entry 0 is the money that the account began with.
  struct Query {
    std::optional<std::string> direction, type;
    size_t limit = 0;
    size_t end = 0;                   ///< the entries before this one; a cursor names the entry that was shown last
    gint64 from = 0, to = G_MAXINT64; ///< microseconds since 1970
  };

  /// The error is in the service's words.
  tl::expected<Query, std::string> readQuery(const Request &request) const;
  /// Null for entry 0.
  const Charge *chargeOf(size_t entry) const { return entry == 0 ? nullptr : &charges_[entry - forgotten_ - 1]; }
  bool matches(size_t entry, const Query &query) const;
  Json entryJson(size_t entry) const;

  const double start_;
  gint64 opened_; ///< microseconds since 1970
  double charged_ = 0;
  double held_ = 0;
  size_t forgotten_ = 0;       ///< charges that were there before the first of charges_
  std::deque<Charge> charges_; ///< oldest first
};

} // namespace aimlvideo::emulator
