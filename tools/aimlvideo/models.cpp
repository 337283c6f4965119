// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/catalogue.h"
#include "api/endpoint.h"
#include "base/glib_ptr.h"
#include "base/json/value.h"
#include "command.h"
#include "envelope.h"
#include "field_options.h"
#include "model_list.h"
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

/// The service's price list, as far as somebody may be asked. A model of the past that nobody knows the price of is
/// worth a look all the same, so there is little patience.
tl::expected<std::map<std::string, GRefPtr<JsonNode>>, std::string> pricesFor(const Settings &settings, bool offline) {
  constexpr std::chrono::seconds patience{5};
  const auto url = checkedBaseUrl(effectiveBaseUrl(settings));
  if (!url)
    return tl::unexpected(url.error().text());
  Cancellation cancellation;
  HttpSession session(sessionOptionsOf(settings));
  return Loop::instance().wait(allPricings(*url, !offline, session, cancellation, Clock::now() + patience));
}

/// What the shortest way of asking for it costs; empty where nobody is asked.
std::string priceOf(const Model &model, const Settings &settings) {
  constexpr std::chrono::seconds patience{5};
  const auto url = checkedBaseUrl(effectiveBaseUrl(settings));
  if (!url)
    return "not known: " + url.error().text();
  Cancellation cancellation;
  HttpSession session(sessionOptionsOf(settings));
  const auto pricing = Loop::instance().wait(pricingOf(*url, model.id, session, cancellation, Clock::now() + patience));
  const auto price = pricing ? defaultPrice(model, pricing->get()) : tl::unexpected(pricing.error());
  return price ? "about " + usdText(price->usd) + " (" + price->basis + ")" : "not known: " + price.error();
}

void explain(const Model &model, const std::string &price) {
  print(model.id);
  print("  " + model.vendor + ", " + model.kind);
  if (!model.aliases.empty())
    print("  also called " + join(model.aliases));
  if (const std::string sample = describe(model.sample); !sample.empty())
    print("  documented sample run: " + sample);
  if (Catalogue::instance().isUnlisted(model.id))
    print("  the service's own list does not have it, as of the last 'aimlvideo models --refresh'");
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

/// The facts as the catalogue holds them, of one model.
json::Value factsOf(const std::string &id) {
  for (const json::Value &entry : json::Value(catalogueFacts())["models"].elements())
    if (entry["id"].string() == id)
      return entry;
  return nullptr;
}

/// The facts of those that are chosen, with what the list says besides.
json::Value factsOf(const std::vector<ModelEntry> &entries) {
  std::map<std::string, json::Value> facts;
  const json::Value all(catalogueFacts());
  for (const json::Value &entry : all["models"].elements())
    facts.emplace(entry["id"].string(), entry);
  std::vector<json::Value> models;
  for (const ModelEntry &entry : entries) {
    const json::Value &known = facts[entry.model->id];
    json::Value object = json::Value::object();
    for (const std::string &name : known.names())
      object.set(name, known[name]);
    if (entry.price)
      object.set("usd_estimated", rounded(entry.price->usd));
    if (entry.unlisted)
      object.set("listed", false);
    models.push_back(std::move(object));
  }
  return json::Value::object({{"version", all["version"]}, {"models", json::Value::array(models)}});
}

/// Why no model has all of the words.
Error unknownModel(const std::vector<std::string> &words) {
  std::string nearest;
  for (const std::string &word : words)
    if (ModelFilter filter{.words = {word}}; nearest.empty() && chosenModels(filter, ModelOrder::Id, {}).empty())
      nearest = nearestModelWord(word);
  const std::string what = words.size() == 1 ? "no model is called \"" + words.front() + "\""
                                             : "no model has all of the words \"" + join(words, " ") + "\"";
  return failure(ErrorKind::NotFound, what, "the catalogue does not have it",
                 nearest.empty()
                     ? "'aimlvideo models' lists those that are; 'aimlvideo models --refresh' asks for newer ones"
                     : "Did you mean " + nearest + "?")
      .value();
}

ExitCode list(const ModelFilter &filter, ModelOrder order, const Settings &settings, bool offline) {
  const auto prices = pricesFor(settings, offline);
  if (!prices && (filter.maximumUsd || order == ModelOrder::Price))
    return printError(failure(ErrorKind::Unreachable, "the models can't be chosen by price", prices.error(),
                              offline ? "Run it once without --offline, which asks for them"
                                      : "Try again later, or choose by something else")
                          .value());
  if (!prices && !offline)
    printWarning("the prices are not known: " + prices.error());
  const auto entries = chosenModels(filter, order, prices);
  if (entries.empty() && !filter.words.empty() && chosenModels({.words = filter.words}, ModelOrder::Id, prices).empty())
    return printError(unknownModel(filter.words));
  if (isForProgram())
    printJson(factsOf(entries));
  else
    printModels(entries, filter);
  return ExitCode::Success;
}

std::optional<ModelOrder> orderNamed(const std::string &name) {
  for (const auto &[known, order] : {std::pair("id", ModelOrder::Id), std::pair("price", ModelOrder::Price),
                                     std::pair("vendor", ModelOrder::Vendor), std::pair("time", ModelOrder::Time)})
    if (name == known)
      return order;
  return {};
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
  gboolean text = FALSE;
  gboolean image = FALSE;
  gboolean video = FALSE;
  gboolean audio = FALSE;
  TextOption mostCost;
  TextOption sorting;
  const GOptionEntry entries[] = {
      {"text", 0, 0, G_OPTION_ARG_NONE, &text, "only those that need nothing but a text", nullptr},
      {"image", 0, 0, G_OPTION_ARG_NONE, &image, "only those that take an image", nullptr},
      {"video", 0, 0, G_OPTION_ARG_NONE, &video, "only those that take a video", nullptr},
      {"audio", 0, 0, G_OPTION_ARG_NONE, &audio, "only those that make sound, or take it", nullptr},
      {"max-price", 0, 0, G_OPTION_ARG_STRING, mostCost.slot(),
       "only those whose clip with the defaults costs at most this", "USD"},
      {"sort", 0, 0, G_OPTION_ARG_STRING, sorting.slot(), "in which order, id by default", "id|price|vendor|time"},
      {"refresh", 0, 0, G_OPTION_ARG_NONE, &refreshed, "ask the service for newer models and parameters", nullptr},
      {"offline", 0, 0, G_OPTION_ARG_NONE, &offline, "do not ask for prices; those that are known are shown", nullptr},
      {},
  };
  Options options("models", "[ID | WORD...]",
                  "Lists the video models that are known, those with all of the words in id, vendor or kind, or\n"
                  "explains the one with this ID. TIME is what its documentation says that a clip takes.");
  FieldOptions serviceOptions(isAboutService);
  serviceOptions.addTo(options);
  options.add(entries);
  const auto words = options.parse(arguments, arguments.size());
  if (!words)
    return ExitCode::Usage;
  const auto settings = serviceOptions.settings();
  if (!settings)
    return ExitCode::Usage;
  const auto usage = [](const std::string &what) {
    printUsageError(what);
    return ExitCode::Usage;
  };
  const ModelFilter filter{*words,         text != FALSE,  image != FALSE,
                           video != FALSE, audio != FALSE, parseUsd(mostCost.text())};
  if (mostCost.given() && !filter.maximumUsd)
    return usage("--max-price can't be \"" + mostCost.text() + "\": it is an amount in USD, such as 0.50");
  const auto order = orderNamed(sorting.given() ? sorting.text() : "id");
  if (!order)
    return usage("--sort can't be \"" + sorting.text() + "\": there are id, price, vendor and time");
  if (refreshed && (filter.any() || sorting.given()))
    return usage("--refresh takes no ID and no choice");
  if (refreshed) {
    Answer::instance().rename("models --refresh");
    return refresh(*settings);
  }
  if (const std::string &problem = Catalogue::overlayProblem(); !problem.empty())
    printWarning(problem);
  const bool isOne = words->size() == 1 && !text && !image && !video && !audio && !filter.maximumUsd;
  const Model *model = isOne ? Catalogue::instance().find(words->front()) : nullptr;
  if (!model)
    return list(filter, *order, *settings, offline);
  if (isForProgram())
    printJson(factsOf(model->id));
  else
    explain(*model, offline ? "" : priceOf(*model, *settings));
  return ExitCode::Success;
}

} // namespace aimlvideo::cli
