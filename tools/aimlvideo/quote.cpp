// SPDX-License-Identifier: LGPL-2.1-or-later
#include "quote.h"

#include <algorithm>

#include <aimlvideo/folders.h>
#include <aimlvideo/money.h>

#include "base/json/value.h"
#include "envelope.h"
#include "ledger/identity.h"
#include "output.h"
#include "service/account.h"
#include "service/price_list.h"

namespace aimlvideo::cli {

namespace {

/// For the price list in all.
constexpr std::chrono::seconds patience{30};

/// The newest purchase of a request. Where this machine has no ledger yet, none is made.
std::optional<LedgerRow> purchaseOf(const std::string &identity) {
  const std::string file = stateFolder() + "/ledger.sqlite3";
  if (!g_file_test(file.c_str(), G_FILE_TEST_EXISTS))
    return {};
  const auto row = findPurchase(identity);
  return row ? *row : std::nullopt;
}

/// What a run makes of a row of the ledger, as docs/billing.md says.
std::optional<Quote::Earlier> earlierIn(const LedgerRow &row, Reuse reuse) {
  using State = LedgerRow::State;
  if (reuse == Reuse::None)
    return {};
  const std::string job = "job " + std::to_string(row.id);
  switch (row.state) {
  case State::Completed:
    if (reuse != Reuse::All || !row.replayable)
      return {};
    return Quote::Earlier{row.id, true, true, "It is paid for: " + job + " has its clip, which costs nothing again",
                          row.output};
  case State::Running:
    return Quote::Earlier{row.id, true, true, "It is paid for: " + job + " is under way, and a run waits for it", {}};
  case State::Moderated:
    return Quote::Earlier{
        row.id, true, false, "The service refused its contents before, as " + job + ", and it is not sent again", {}};
  case State::Sent:
    return Quote::Earlier{row.id,
                          false,
                          false,
                          "It may be paid for: it is not known whether " + job +
                              " was accepted, and a run finds out before it buys",
                          {}};
  case State::Intent:
  case State::Failed:
  case State::NotBought:
    break;
  }
  return {};
}

json::Value jsonOf(const std::vector<std::string> &texts) {
  return json::Value::array({texts.begin(), texts.end()});
}

bool isPaidFor(const std::optional<Quote::Earlier> &earlier) {
  return earlier && earlier->paidFor;
}

} // namespace

json::Value jsonOf(const Quote &quote) {
  const Request &request = quote.plan.request;
  const auto due = quote.due();
  json::Value object = json::Value::object({{"valid", true}, {"model", request.model}});
  if (quote.fetched.empty())
    object.set("known", request.known != nullptr)
        .set("listed", !quote.isUnlisted())
        .set("request", json::Value(json::parse(request.canonical).value()))
        .set("notes", jsonOf(request.notes))
        .set("warnings", jsonOf(request.warnings));
  object.set("usd_estimated", due ? json::Value(rounded(*due)) : json::Value(nullptr))
      .set("estimate", quote.toBuy() == 0 ? "nothing is bought"
                       : quote.price      ? quote.price->basis
                                          : quote.price.error())
      .set("paid_for", std::ranges::all_of(quote.takes, isPaidFor));
  std::vector<json::Value> takes;
  for (size_t i = 0; i < quote.takes.size(); ++i) {
    json::Value take = json::Value::object({{"take", quote.firstTake + i}});
    take.set("paid_for", isPaidFor(quote.takes[i]));
    if (quote.takes[i] && quote.takes[i]->job != 0)
      take.set("job", quote.takes[i]->job);
    takes.push_back(std::move(take));
  }
  return object.set("takes", json::Value::array(takes));
}

namespace {

/// What the check is worth: nothing fits a model that nobody knows, or that the service does not have.
std::string fitOf(const Quote &quote) {
  const Request &request = quote.plan.request;
  if (!request.known)
    return "The model " + request.model + " is not in the catalogue, so the request was not checked.";
  if (quote.isUnlisted())
    return "The request is as documented, but the service does not list the model " + request.model + ".";
  return "The request fits the model " + request.model + ".";
}

/// `It will cost about 0.91 USD: ...`
std::string costSentence(const Quote &quote) {
  const size_t toBuy = quote.toBuy();
  if (toBuy == 0)
    return "It costs nothing.";
  if (!quote.price)
    return "Its price is not known: " + quote.price.error() + ".";
  const std::string each = usdText(quote.price->usd) + ": " + quote.price->basis + ".";
  if (quote.takes.size() == 1)
    return "It will cost about " + each;
  return std::to_string(toBuy) + " of " + std::to_string(quote.takes.size()) + " takes are to be bought, for about " +
         usdText(*quote.due()) + " in all. Each costs about " + each;
}

} // namespace

size_t Quote::toBuy() const {
  return static_cast<size_t>(std::ranges::count_if(
      takes, [](const std::optional<Earlier> &earlier) { return !earlier || !earlier->buysNothing; }));
}

bool Quote::isUnlisted() const {
  return Catalogue::instance().isUnlisted(plan.request.model) || (!price && price.error() == notListed);
}

std::optional<double> Quote::due() const {
  const size_t count = toBuy();
  if (count == 0)
    return 0;
  return price ? std::optional(totalUsd(std::vector<std::optional<double>>(count, price->usd))) : std::nullopt;
}

Result<Quote> quote(Settings settings, unsigned takes, Asking asking) {
  settings.dryRun = true; // which needs no key
  auto plan = prepare(settings);
  if (!plan)
    return tl::unexpected(std::move(plan.error()));
  Quote quote{.plan = std::move(*plan),
              .price = tl::unexpected(std::string("it was not asked for")),
              .fetched = settings.generationId,
              .firstTake = settings.take,
              .takes = {}};
  if (settings.fetchesOnly()) {
    quote.takes.emplace_back(Quote::Earlier{0, true, true, "Generation " + settings.generationId + " is fetched", {}});
    return quote;
  }
  for (unsigned i = 0; i < takes; ++i) {
    const auto row = purchaseOf(requestIdentity(quote.plan.baseUrl, quote.plan.request.canonical, settings.take + i));
    quote.takes.push_back(row ? earlierIn(*row, settings.reuse) : std::nullopt);
  }
  if (asking == Asking::Service) {
    Cancellation cancellation;
    HttpSession session(sessionOptionsOf(settings));
    quote.price = Loop::instance().wait(priceOf(quote.plan, session, cancellation, Clock::now() + patience));
  }
  return quote;
}

Result<void> checkCaps(const Quote &quote, double runCap) {
  const auto &cap = quote.plan.allowance.cap;
  if (quote.toBuy() == 0 || !cap)
    return {};
  const std::string limit = quote.plan.allowance.capName + (" (" + usdText(*cap) + ")");
  if (!quote.price)
    return failure(ErrorKind::BadRequest, "the price is not known and " + limit + " is set", quote.price.error(),
                   std::string("Nothing was bought. Unset ") + quote.plan.allowance.capName +
                       " to buy without an estimate");
  if (quote.price->usd > *cap)
    return failure(ErrorKind::BadRequest, "the price would be above " + limit,
                   "it is estimated at " + usdText(quote.price->usd) + ", " + quote.price->basis,
                   std::string("Nothing was bought. Raise ") + quote.plan.allowance.capName +
                       ", or choose a shorter clip or another model");
  if (runCap > 0 && *quote.due() > runCap)
    return failure(ErrorKind::BadRequest,
                   std::to_string(quote.toBuy()) + " takes would be above max-cost (" + usdText(runCap) + ")",
                   "they are estimated at " + usdText(*quote.due()) + " in all",
                   "Nothing was bought. Raise max-cost, or ask for fewer takes");
  return {};
}

void show(const Quote &quote) {
  printJson(jsonOf(quote));
  const Request &request = quote.plan.request;
  for (const std::string &warning : request.warnings)
    printWarning(warning);
  if (quote.fetched.empty()) {
    print(fitOf(quote));
    const auto canonical = json::parse(request.canonical).value();
    JsonObject *body = json::objectIn(canonical.get());
    for (const std::string &name : json::memberNames(body))
      if (name != "model")
        print("  " + name + ": " + json::write(json::member(body, name.c_str())));
  }
  for (const std::string &note : request.notes)
    print(note + ".");
  for (size_t i = 0; i < quote.takes.size(); ++i)
    if (quote.takes[i])
      print((quote.takes.size() > 1 ? "Take " + std::to_string(quote.firstTake + i) + ": " : "") +
            quote.takes[i]->sentence + ".");
  print(costSentence(quote));
}

} // namespace aimlvideo::cli
