// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/deprecations.h"
#include "base/json/value.h"
#include "command.h"
#include "envelope.h"
#include "field_options.h"
#include "options.h"
#include "output.h"
#include "service/account.h"
#include "service/listing.h"
#include "service/price_list.h"

namespace aimlvideo::cli {

namespace {

/// For the price list in all.
constexpr std::chrono::seconds patience{30};

using Price = tl::expected<Estimate, std::string>;

json::Value jsonOf(const std::vector<std::string> &texts) {
  return json::Value::array({texts.begin(), texts.end()});
}

json::Value jsonOf(const Request &request, const Price &price) {
  return json::Value::object({{"valid", true},
                              {"model", request.model},
                              {"known", request.known != nullptr},
                              {"request", json::Value(json::parse(request.canonical).value())},
                              {"notes", jsonOf(request.notes)},
                              {"warnings", jsonOf(request.warnings)},
                              {"usd_estimated", price ? json::Value(rounded(price->usd)) : json::Value(nullptr)},
                              {"estimate", price ? price->basis : price.error()}});
}

/// The body as it is sent, except that an image reads as its hash.
void explain(const Request &request, const Price &price) {
  for (const std::string &warning : request.warnings)
    printWarning(warning);
  print("The request fits the model " + request.model + ".");
  const auto canonical = json::parse(request.canonical).value();
  JsonObject *body = json::objectIn(canonical.get());
  for (const std::string &name : json::memberNames(body))
    if (name != "model")
      print("  " + name + ": " + json::write(json::member(body, name.c_str())));
  for (const std::string &note : request.notes)
    print(note + ".");
  print(price ? "It will cost about " + usdText(price->usd) + ": " + price->basis + "."
              : "Its price is not known: " + price.error() + ".");
}

} // namespace

ExitCode runCheck(const Arguments &arguments) {
  gboolean offline = FALSE;
  const GOptionEntry entries[] = {
      {"offline", 0, 0, G_OPTION_ARG_NONE, &offline,
       "do not ask the service for the price, or whether it will withdraw the model", nullptr},
      {},
  };
  Options options("check", nullptr,
                  "Checks a request against the model's documentation without sending it.\n"
                  "Needs no key, costs nothing. Exit code 3: the request is wrong.");
  FieldOptions fieldOptions([](const Field &field) {
    return field.group == FieldGroup::Request || field.name == std::string_view("endpoint") || isAboutService(field);
  });
  fieldOptions.addTo(options);
  options.add(entries);
  if (!options.parse(arguments, 0))
    return ExitCode::Usage;
  auto settings = fieldOptions.settings();
  if (!settings)
    return ExitCode::Usage;
  settings->dryRun = true;

  auto plan = prepare(*settings);
  if (!plan) {
    printJson(json::Value::object({{"valid", false}}));
    return printError(plan.error());
  }
  Cancellation cancellation;
  HttpSession session(sessionOptionsOf(*settings));
  tl::expected<std::string, std::string> deprecations = tl::unexpected(std::string());
  if (!offline)
    deprecations =
        Loop::instance().wait(fetchDeprecations(session, plan->baseUrl, cancellation, Clock::now() + patience));
  if (const auto deprecation = deprecations ? deprecationIn(*deprecations, plan->request.model) : std::nullopt)
    plan->request.warnings.push_back(deprecation->sentence(plan->request.model));
  Price price = tl::unexpected(std::string("it was not asked for"));
  if (!offline)
    price = Loop::instance().wait(priceOf(*plan, session, cancellation, Clock::now() + patience));
  printJson(jsonOf(plan->request, price));
  explain(plan->request, price);
  return ExitCode::Success;
}

} // namespace aimlvideo::cli
