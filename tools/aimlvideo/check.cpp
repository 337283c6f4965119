// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/deprecations.h"
#include "base/json/node.h"
#include "command.h"
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

void add(JsonBuilder *builder, const char *name, const std::string &text) {
  json_builder_set_member_name(builder, name);
  json_builder_add_string_value(builder, text.c_str());
}

void add(JsonBuilder *builder, const char *name, const std::vector<std::string> &texts) {
  json_builder_set_member_name(builder, name);
  json_builder_begin_array(builder);
  for (const std::string &text : texts)
    json_builder_add_string_value(builder, text.c_str());
  json_builder_end_array(builder);
}

JsonNode *jsonOf(const Request &request, const Price &price) {
  const auto builder = adopt(json_builder_new());
  json_builder_begin_object(builder.get());
  json_builder_set_member_name(builder.get(), "valid");
  json_builder_add_boolean_value(builder.get(), TRUE);
  add(builder.get(), "model", request.model);
  json_builder_set_member_name(builder.get(), "known");
  json_builder_add_boolean_value(builder.get(), request.known != nullptr);
  json_builder_set_member_name(builder.get(), "request");
  json_builder_add_value(builder.get(), json_node_copy(json::parse(request.canonical).value().get()));
  add(builder.get(), "notes", request.notes);
  add(builder.get(), "warnings", request.warnings);
  json_builder_set_member_name(builder.get(), "usd_estimated");
  if (price)
    json_builder_add_double_value(builder.get(), price->usd);
  else
    json_builder_add_null_value(builder.get());
  add(builder.get(), "estimate", price ? price->basis : price.error());
  json_builder_end_object(builder.get());
  return json_builder_get_root(builder.get());
}

/// A request that is refused, for programs.
JsonNode *jsonOf(const Error &error) {
  const auto builder = adopt(json_builder_new());
  json_builder_begin_object(builder.get());
  json_builder_set_member_name(builder.get(), "valid");
  json_builder_add_boolean_value(builder.get(), FALSE);
  add(builder.get(), "error", error.what);
  add(builder.get(), "reason", error.why);
  add(builder.get(), "remedy", error.remedy);
  json_builder_end_object(builder.get());
  return json_builder_get_root(builder.get());
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
  gboolean asJson = FALSE;
  gboolean offline = FALSE;
  const GOptionEntry entries[] = {
      {"offline", 0, 0, G_OPTION_ARG_NONE, &offline,
       "do not ask the service for the price, nor whether it gives the model up", nullptr},
      {"json", 0, 0, G_OPTION_ARG_NONE, &asJson, "print JSON for programs", nullptr},
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
    if (asJson)
      printJson(jsonOf(plan.error()));
    return asJson ? exitCodeFor(plan.error().kind) : printError(plan.error());
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
  if (asJson)
    printJson(jsonOf(plan->request, price));
  else
    explain(plan->request, price);
  return ExitCode::Success;
}

} // namespace aimlvideo::cli
