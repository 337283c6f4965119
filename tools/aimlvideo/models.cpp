// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/catalogue.h"
#include "api/endpoint.h"
#include "api/nearest.h"
#include "base/glib_ptr.h"
#include "base/json/value.h"
#include "command.h"
#include "envelope.h"
#include "field_options.h"
#include "options.h"
#include "output.h"
#include "service/account.h"
#include "service/price_list.h"
#include "service/refresh.h"
#include "table.h"

namespace aimlvideo::cli {

namespace {

std::string join(const std::vector<std::string> &parts, const char *separator = ", ") {
  std::string text;
  for (const std::string &part : parts)
    text += (text.empty() ? "" : separator) + part;
  return text;
}

std::string plain(double value) {
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(buffer, sizeof buffer, "%.15g", value);
}

std::string describe(const SampleRun &sample) {
  std::vector<std::string> parts;
  if (sample.seconds > 0)
    parts.push_back(std::to_string(sample.seconds) + " s");
  if (sample.width > 0)
    parts.push_back(std::to_string(sample.width) + "x" + std::to_string(sample.height));
  if (sample.sound)
    parts.emplace_back(*sample.sound ? "with sound" : "without sound");
  return join(parts);
}

/// What a parameter may be, in one line.
std::string allowedFor(const Parameter &parameter) {
  std::vector<std::string> parts;
  if (!parameter.allowed.empty())
    parts.push_back(join(parameter.allowed, " | "));
  if (parameter.minimum || parameter.maximum)
    parts.push_back((parameter.minimum ? plain(*parameter.minimum) : "") + ".." +
                    (parameter.maximum ? plain(*parameter.maximum) : ""));
  if (parameter.minimumItems || parameter.maximumItems)
    parts.push_back(std::to_string(parameter.minimumItems.value_or(0)) + ".." +
                    (parameter.maximumItems ? std::to_string(*parameter.maximumItems) : "") + " items");
  if (parameter.maximumLength)
    parts.push_back("at most " + std::to_string(*parameter.maximumLength) + " characters");
  return join(parts);
}

std::string typeOf(const Parameter &parameter) {
  if (parameter.isUri)
    return "URI";
  if (parameter.type == "array")
    return parameter.itemIsUri ? "list of URIs" : "list of " + parameter.itemType + "s";
  return parameter.type;
}

void addRows(Table &table, const std::vector<Parameter> &parameters, const std::string &path) {
  for (const Parameter &parameter : parameters) {
    const std::string name = path + parameter.name;
    table.add(
        {"  " + name, typeOf(parameter), parameter.required ? "yes" : "", parameter.fallback, allowedFor(parameter)});
    addRows(table, parameter.members, name + (parameter.type == "array" ? "[]." : "."));
  }
}

/// What the shortest way of asking for it costs; empty where the price list can't be reached.
std::string priceOf(const Model &model, const Settings &settings) {
  constexpr std::chrono::seconds patience{5};
  auto url = checkedBaseUrl(effectiveBaseUrl(settings));
  if (!url)
    return "not known: " + url.error().text();
  Plan plan;
  plan.baseUrl = std::move(*url);
  plan.request.model = model.id;
  plan.request.known = &model;
  plan.request.canonical = "{}";
  Cancellation cancellation;
  HttpSession session(sessionOptionsOf(settings));
  const auto price = Loop::instance().wait(aimlvideo::priceOf(plan, session, cancellation, Clock::now() + patience));
  return price ? "about " + usdText(price->usd) + " (" + price->basis + ")" : "not known: " + price.error();
}

void explain(const Model &model, const std::string &price) {
  print(model.id);
  print("  " + model.vendor + ", " + model.kind);
  if (!model.aliases.empty())
    print("  also called " + join(model.aliases));
  if (const std::string sample = describe(model.sample); !sample.empty())
    print("  documented sample run: " + sample);
  if (!price.empty())
    print("  price of a clip with the defaults: " + price);
  for (const auto &[medium, names] : model.inputs)
    print("  " + medium + ": " + join(names));
  print("");
  Table table({"  PARAMETER", "TYPE", "REQUIRED", "DEFAULT", "ALLOWED"});
  addRows(table, model.parameters, "");
  table.print();
  print("");
  for (const Parameter &parameter : model.parameters)
    if (!parameter.about.empty())
      print(wrapped(parameter.name + ": " + parameter.about, "  "));
}

void list() {
  Table table({"MODEL", "VENDOR", "KIND", "SAMPLE RUN"});
  for (const Model &model : Catalogue::instance().models())
    table.add({model.id, model.vendor, model.kind, describe(model.sample)});
  table.print();
}

/// The facts as the catalogue holds them: for one model, or for all.
json::Value factsOf(const Model *model) {
  json::Value facts(catalogueFacts());
  if (!model)
    return facts;
  for (const json::Value &entry : facts["models"].elements())
    if (entry["id"].string() == model->id)
      return entry;
  return nullptr;
}

std::string hintFor(const std::string &name) {
  const std::string nearest = nearestTo(name, Catalogue::instance().names());
  return nearest.empty() ? "'aimlvideo models' lists those that are" : "Did you mean " + nearest + "?";
}

json::Value jsonOf(const Refreshed &found) {
  return json::Value::object({{"listed", found.listed},
                              {"added_models", found.models},
                              {"added_parameters", found.parameters},
                              {"unreadable", found.unreadable},
                              {"file", found.file}});
}

ExitCode refresh(const Settings &settings) {
  Cancellation cancellation;
  const auto found = refreshCatalogue(settings, cancellation);
  if (!found)
    return printError(found.error());
  printJson(jsonOf(*found));
  print("The service lists " + std::to_string(found->listed) + " video models. New are " +
        std::to_string(found->models) + " of them, and " + std::to_string(found->parameters) +
        " parameters of the others.");
  if (found->unreadable > 0)
    printWarning("the descriptions of " + std::to_string(found->unreadable) + " can't be fetched or read");
  print("They are kept in " + found->file + ".");
  return ExitCode::Success;
}

} // namespace

ExitCode runModels(const Arguments &arguments) {
  gboolean offline = FALSE;
  gboolean refreshed = FALSE;
  const GOptionEntry entries[] = {
      {"refresh", 0, 0, G_OPTION_ARG_NONE, &refreshed, "ask the service for newer models and parameters", nullptr},
      {"offline", 0, 0, G_OPTION_ARG_NONE, &offline, "do not ask for the price", nullptr},
      {},
  };
  Options options("models", "[ID]", "Lists the video models that are known, or explains one of them.");
  FieldOptions serviceOptions(isAboutService);
  serviceOptions.addTo(options);
  options.add(entries);
  const auto names = options.parse(arguments, 1);
  if (!names)
    return ExitCode::Usage;
  const auto settings = serviceOptions.settings();
  if (!settings)
    return ExitCode::Usage;
  if (refreshed && !names->empty()) {
    printUsageError("--refresh takes no ID");
    return ExitCode::Usage;
  }
  if (refreshed) {
    Answer::instance().rename("models --refresh");
    return refresh(*settings);
  }
  if (const std::string &problem = Catalogue::overlayProblem(); !problem.empty())
    printWarning(problem);
  const Model *model = names->empty() ? nullptr : Catalogue::instance().find(names->front());
  if (!names->empty() && !model)
    return printError(failure(ErrorKind::NotFound, "the model \"" + names->front() + "\" is not known",
                              "it is not in the catalogue", hintFor(names->front()))
                          .value());
  if (isForProgram())
    printJson(factsOf(model));
  else if (model)
    explain(*model, offline ? "" : priceOf(*model, *settings));
  else
    list();
  return ExitCode::Success;
}

} // namespace aimlvideo::cli
