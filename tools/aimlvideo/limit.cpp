// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <vector>

#include <aimlvideo/catalogue.h>
#include <aimlvideo/folders.h>
#include <aimlvideo/money.h>

#include "api/nearest.h"
#include "base/glib_ptr.h"
#include "command.h"
#include "envelope.h"
#include "field_options.h"
#include "ledger/ledger.h"
#include "options.h"
#include "output.h"
#include "settings/service_address.h"
#include "table.h"
#include "terminal.h"

namespace aimlvideo::cli {

namespace {

constexpr int64_t second = 1000; // of the ledger's times

int64_t now() {
  return g_get_real_time() / (G_USEC_PER_SEC / second);
}

/// `2026-12-01 00:00`
std::string timeOf(int64_t moment) {
  const auto time = adopt(g_date_time_new_from_unix_utc(moment / second));
  const GCharPtr text(time ? g_date_time_format(time.get(), "%Y-%m-%d %H:%M") : g_strdup(""));
  return text.get();
}

json::Value jsonOf(const Spending &spending) {
  return Members()
      .text("period", nameOf(spending.limit.period))
      .text("model", spending.limit.model)
      .number("usd", spending.limit.usd)
      .number("usd_spent", spending.spent)
      .number("usd_reserved", spending.reserved)
      .number("usd_left", spending.left())
      .integer("unpriced", spending.unpriced)
      .integer("since", spending.span.from / second)
      .integer("until", spending.span.until / second)
      .value();
}

void printTable(const std::vector<Spending> &all, const std::string &service) {
  if (all.empty())
    return print("There is no limit. 'aimlvideo limit set --per-day 20' sets one.");
  Table table({{.heading = "PERIOD"},
               {.heading = "LIMIT", .right = true},
               {.heading = "SPENT", .right = true},
               {.heading = "RESERVED", .right = true},
               {.heading = "LEFT", .right = true},
               {.heading = "ANEW (UTC)"},
               {.heading = "MODEL", .fit = Column::Fit::Cut, .cut = Cut::Start, .least = 20}});
  int64_t unpriced = 0;
  for (const Spending &one : all) {
    table.add({nameOf(one.limit.period), usdText(one.limit.usd), usdText(one.spent), usdText(one.reserved),
               usdText(one.left()), timeOf(one.span.until), one.limit.model.empty() ? "all" : one.limit.model});
    unpriced = std::max(unpriced, one.unpriced);
  }
  table.print();
  print("spent at " + service +
        (unpriced > 0 ? "; not counted, since nobody knows their cost: " + std::to_string(unpriced) : ""));
}

ExitCode show(Ledger &ledger, const std::string &baseUrl) {
  const int64_t moment = now();
  if (const auto released = ledger.releaseAbandoned(spanOf(Period::Month, moment).from); !released)
    return printError(released.error());
  const auto all = ledger.spending(baseUrl, moment);
  if (!all)
    return printError(all.error());
  json::Value limits = json::Value::array();
  for (const Spending &spending : *all)
    limits.add(jsonOf(spending));
  printJson(json::Value::object({{"service", baseUrl}, {"limits", limits}}));
  if (!isForProgram())
    printTable(*all, baseUrl);
  return ExitCode::Success;
}

/// The id of a model; what is not known may still be sold.
std::string idOf(const std::string &model) {
  const Catalogue &catalogue = Catalogue::instance();
  if (const Model *known = model.empty() ? nullptr : catalogue.find(model))
    return known->id;
  if (!model.empty()) {
    const std::string nearest = nearestTo(model, catalogue.names());
    printWarning("the model \"" + model + "\" is not known" +
                 (nearest.empty() ? "" : ". Did you mean " + nearest + "?"));
  }
  return model;
}

/// What is asked for.
struct Query {
  std::string action = "show";
  std::optional<Period> period; ///< of unset
  std::vector<SpendingLimit> limits;
  std::optional<std::string> model;
};

/// The mistake in the words, as a sentence; empty: there is none.
std::string read(const Arguments &words, Query &query) {
  if (!words.empty())
    query.action = words.front();
  if (query.action != "show" && query.action != "set" && query.action != "unset") {
    const std::string nearest = nearestTo(query.action, {"show", "set", "unset"});
    return "there is no \"limit " + query.action + "\"" + (nearest.empty() ? "" : ". Did you mean " + nearest + "?");
  }
  if (words.size() < 2)
    return "";
  if (query.action != "unset")
    return "\"" + words[1] + "\" is one argument too many";
  for (const Period period : {Period::Day, Period::Month})
    if (words[1] == nameOf(period))
      query.period = period;
  return query.period ? "" : "limit unset takes day, month or nothing, not \"" + words[1] + "\"";
}

ExitCode carryOut(Ledger &ledger, const Query &query, const std::string &baseUrl) {
  if (query.action == "unset")
    if (const auto unset = ledger.unsetLimits(query.period, query.model); !unset)
      return printError(unset.error());
  for (const SpendingLimit &limit : query.limits)
    if (const auto set = ledger.setLimit(limit); !set)
      return printError(set.error());
  return show(ledger, baseUrl);
}

constexpr auto explanation =
    "What may be spent in a day and in a month, whatever buys: pipelines, generate, batch, submit, agents,\n"
    "in any process of this user. What would exceed it is refused before anything is sent.\n\n"
    "  show              the limits, what is spent, and when they begin anew\n"
    "  set               set or change the limit of a day, of a month, or both; with --model of one model alone\n"
    "  unset             remove all limits, those of a day or a month, or those of --model\n\n"
    "Days and months are those of UTC. What is under way counts by its estimated price until its cost is known,\n"
    "and so does what may have been bought. Each service counts by itself.";

} // namespace

ExitCode runLimit(const Arguments &arguments) {
  TextOption perDay;
  TextOption perMonth;
  TextOption model;
  const GOptionEntry entries[] = {
      {"per-day", 0, 0, G_OPTION_ARG_STRING, perDay.slot(), "set: for a day; 0 buys nothing that costs anything",
       "USD"},
      {"per-month", 0, 0, G_OPTION_ARG_STRING, perMonth.slot(), "set: for a month", "USD"},
      {"model", 'm', 0, G_OPTION_ARG_STRING, model.slot(), "set, unset: for this model alone", "ID"},
      {},
  };
  Options options("limit", "[show | set | unset | unset day | unset month]", explanation);
  options.add(entries);
  FieldOptions serviceOptions([](const Field &field) { return std::string_view(field.name) == "base-url"; });
  serviceOptions.addTo(options);
  const auto words = options.parse(arguments, 2);
  if (!words)
    return ExitCode::Usage;
  const auto usage = [](const std::string &what) {
    printUsageError(what);
    return ExitCode::Usage;
  };
  Query query;
  if (const std::string problem = read(*words, query); !problem.empty())
    return usage(problem);
  if (model.given())
    query.model = idOf(model.text());
  for (const auto &[period, option] : {std::pair(Period::Day, &perDay), std::pair(Period::Month, &perMonth)}) {
    if (!option->given())
      continue;
    const auto usd = parseUsd(option->text());
    if (!usd)
      return usage("--per-" + std::string(nameOf(period)) + " can't be \"" + option->text() +
                   "\": it is an amount in USD, such as 20 or 0.50");
    query.limits.push_back({period, query.model.value_or(""), *usd});
  }
  const bool sets = query.action == "set";
  if (sets == query.limits.empty())
    return usage(sets ? "limit set needs --per-day USD, --per-month USD or both"
                      : "--per-day and --per-month are for limit set");
  if (query.action == "show" && query.model)
    return usage("--model is for limit set and limit unset");
  const auto settings = serviceOptions.settings();
  if (!settings)
    return ExitCode::Usage;

  Answer::instance().rename("limit " + query.action);
  const auto service = serviceAddressOf(*settings);
  if (!service)
    return printError(service.error());
  const auto ledger = Ledger::open(stateFolder());
  if (!ledger)
    return printError(ledger.error());
  return carryOut(**ledger, query, service->baseUrl);
}

} // namespace aimlvideo::cli
