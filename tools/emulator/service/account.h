// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <string>

#include "emulator/service/task.h"
#include "emulator/wire/http.h"

namespace aimlvideo::emulator {

// The money of the account, which all keys share.
class Account {
public:
  explicit Account(double start);

  // USD, less what was charged.
  double balance() const { return start_ - charged_; }
  // Sets aside what a generation will cost. False where there is not enough.
  bool hold(const Cost &cost);
  // Of what was held: the generation has ended, and is charged for where it has not failed.
  void settle(const Task &task);
  void reset();

  // GET /v2/billing/transactions
  Response transactions(const Request &request) const;
  // GET /v2/usage
  Response usage(const Request &request) const;

private:
  struct Charge {
    gint64 time = 0; // microseconds since 1970
    std::string model, inferenceId, keyStart;
    double usd = 0;
  };

  const double start_;
  gint64 opened_; // microseconds since 1970
  double charged_ = 0;
  double held_ = 0;
  size_t forgotten_ = 0;       // charges that were there before the first of charges_
  std::deque<Charge> charges_; // oldest first
};

} // namespace aimlvideo::emulator
