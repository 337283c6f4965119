// SPDX-License-Identifier: LGPL-2.1-or-later
#include "budget.h"

#include <aimlvideo/folders.h>

#include "api/catalogue.h"
#include "base/json/node.h"
#include "ledger/ledger.h"
#include "service/account.h"
#include "service/price_list.h"

namespace aimlvideo::cli {

namespace {

constexpr std::chrono::seconds patience{30}; // for the price of one model
constexpr double half = 1e-6;                // of the smallest sum that counts
constexpr double nothing = 1e-9;             // 0 would be no cap

bool isPaidFor(const Result<std::shared_ptr<Ledger>> &ledger, const ManifestRow &row) {
  if (row.canonical.empty())
    return true;
  const auto found = ledger ? (*ledger)->find(row.identity, "") : Result<std::optional<LedgerRow>>();
  if (!found || !*found)
    return false;
  using State = LedgerRow::State;
  const State state = (*found)->state;
  return state == State::Sent || state == State::Running || state == State::Completed || state == State::Moderated;
}

} // namespace

std::vector<std::string> Budget::estimate(const std::vector<ManifestRow> &rows, const Settings &service) {
  std::vector<std::string> problems;
  if (!limited())
    return problems;
  const auto ledger = Ledger::open(stateFolder());
  HttpSession session(sessionOptionsOf(service));
  Cancellation cancellation;
  std::map<std::pair<std::string, std::string>, tl::expected<GRefPtr<JsonNode>, std::string>> lists;
  for (const ManifestRow &row : rows) {
    if (isPaidFor(ledger, row)) {
      paid_.insert(row.identity);
      if (row.canonical.empty())
        continue;
    }
    auto list = lists.find({row.baseUrl, row.model});
    if (list == lists.end())
      list = lists
                 .emplace(std::pair(row.baseUrl, row.model),
                          Loop::instance().wait(
                              pricingOf(row.baseUrl, row.model, session, cancellation, Clock::now() + patience)))
                 .first;
    const auto body = json::parse(row.canonical);
    const auto price =
        list->second && body
            ? estimateFor(list->second->get(), json::objectIn(body->get()), Catalogue::instance().find(row.model))
            : tl::expected<Estimate, std::string>(tl::unexpect, list->second ? "" : list->second.error());
    if (price)
      estimates_[row.identity] = price->usd;
    else if (!isPaid(row))
      problems.push_back("row " + std::to_string(row.number) +
                         ": the price is not known and --max-cost is set: " + price.error());
  }
  return problems;
}

double Budget::estimatedTotal() const {
  double total = 0;
  for (const auto &[identity, usd] : estimates_)
    total += paid_.contains(identity) ? 0 : usd;
  return total;
}

std::optional<double> Budget::estimateOf(const ManifestRow &row) const {
  const auto found = estimates_.find(row.identity);
  return found == estimates_.end() ? std::nullopt : std::optional(found->second);
}

bool Budget::take(const ManifestRow &row) {
  if (!limited() || isPaid(row))
    return true;
  const auto usd = estimateOf(row);
  if (!usd || counted_ + *usd > limit_ + half)
    return false;
  counted_ += *usd;
  return true;
}

double Budget::capOf(const ManifestRow &row) const {
  return isPaid(row) ? nothing : estimateOf(row).value_or(nothing) + half;
}

void Budget::settle(const ManifestRow &row, const Status &status, const std::optional<Error> &failure) {
  if (!limited() || isPaid(row))
    return;
  const double estimate = estimateOf(row).value_or(0);
  // nothing is billed for these; everything else may still be
  const bool free = status.generationId.empty() && failure && failure->kind != ErrorKind::UnknownOutcome &&
                    failure->kind != ErrorKind::TimedOut;
  const bool failed = failure && failure->kind == ErrorKind::GenerationFailed;
  const bool reused = !failure && !status.bought();
  if (free || failed || reused)
    counted_ -= estimate;
  else if (const auto usd = status.billed().usd)
    counted_ += *usd - estimate;
  if (!failure)
    paid_.insert(row.identity);
}

} // namespace aimlvideo::cli
