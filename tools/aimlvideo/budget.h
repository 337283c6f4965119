// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "manifest.h"

namespace aimlvideo::cli {

/// What a batch may still buy. A row that is paid for is free. One that is bought counts by its estimate from before
/// it is begun until its true cost is known.
class Budget {
public:
  /// `limit`: USD; 0: none, and then nobody is asked for prices.
  explicit Budget(double limit) : limit_(limit) {}

  /// Finds out what each row will cost; the problems are those rows whose price is not known.
  std::vector<std::string> estimate(const std::vector<ManifestRow> &rows, const Settings &service);

  bool limited() const { return limit_ > 0; }
  double limit() const { return limit_; }
  /// USD that this run has bought or is buying; what it has cost where that is known, and else the estimates.
  double committed() const { return counted_; }
  /// Of all that is not paid for.
  double estimatedTotal() const;
  std::optional<double> estimateOf(const ManifestRow &row) const;
  bool isPaid(const ManifestRow &row) const { return paid_.contains(row.identity); }

  /// Whether the row may begin now; then it is counted.
  bool take(const ManifestRow &row);
  /// The most that the element may pay for a row that was taken, as its property `max-cost`.
  double capOf(const ManifestRow &row) const;
  /// What became of it.
  void settle(const ManifestRow &row, const Status &status, const std::optional<Error> &failure);
  /// It was paid for, and has to be bought again since the service has lost it.
  void forgetPayment(const ManifestRow &row) { paid_.erase(row.identity); }

private:
  const double limit_;
  double counted_ = 0;
  std::set<std::string> paid_;              ///< identities
  std::map<std::string, double> estimates_; ///< by identity
};

} // namespace aimlvideo::cli
