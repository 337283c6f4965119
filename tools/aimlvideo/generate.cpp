// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include <aimlvideo/money.h>

#include "base/glib_ptr.h"
#include "command.h"
#include "field_options.h"
#include "make_file.h"
#include "named_files.h"
#include "output.h"
#include "output_name.h"
#include "output_options.h"
#include "quote.h"
#include "save.h"
#include "settings/text_file.h"

namespace aimlvideo::cli {

namespace {

/// What the command line asks for.
struct Wanted {
  Order order; ///< for all takes, without their outputs
  FieldTexts properties;
  std::string output; ///< with the place of the take in it; empty: named by the prompt
  bool toStandardOutput = false;
  unsigned count = 1;
  bool dryRun = false;
};

/// What a file is called that nobody has named.
std::string unnamed(const Wanted &wanted) {
  const Settings &settings = wanted.order.settings;
  if (!settings.prompt.empty())
    return nameFrom(settings.prompt);
  if (const auto text = settings.promptFile.empty() ? "" : readTextFile(settings.promptFile, "prompt-file"))
    if (!text->empty())
      return nameFrom(*text);
  return nameFrom(settings.generationId);
}

/// Whether an earlier run has made this of the take, as far as the ledger knows.
bool isThere(const std::string &output, unsigned take, const Quote *quote) {
  const Quote::Earlier *earlier =
      quote && quote->takes[take - quote->firstTake] ? &*quote->takes[take - quote->firstTake] : nullptr;
  const GCharPtr path(g_canonicalize_filename(output.c_str(), nullptr));
  return earlier && !output.empty() && earlier->output == path.get() && g_file_test(output.c_str(), G_FILE_TEST_EXISTS);
}

/// The name that a take's output gets; empty: standard output.
std::string outputOf(const Wanted &wanted, unsigned take, const Quote *quote) {
  if (wanted.toStandardOutput)
    return "";
  if (!wanted.output.empty())
    return withTake(wanted.output, take);
  const std::string extension =
      wanted.order.profile->extension ? std::string(".") + wanted.order.profile->extension : "";
  const std::string stem = unnamed(wanted) + (wanted.count > 1 ? "-" + std::to_string(take) : "");
  return isThere(stem + extension, take, quote) ? stem + extension : freeName(stem, extension);
}

/// One order for each take.
struct Orders {
  std::vector<Order> toMake;
  std::vector<Order> there; ///< an earlier run of several has made these
};

/// What is to be made, and checked: all that can be wrong with an output is found before anything is bought.
Result<Orders> ordersOf(const Wanted &wanted, const Quote *quote) {
  Originals originals;
  originals.add(filesNamedBy(wanted.properties));
  Orders orders;
  for (unsigned i = 0; i < wanted.count; ++i) {
    Order order = wanted.order;
    const unsigned take = order.settings.take += i;
    order.output = outputOf(wanted, take, quote);
    if (order.overwrite == Overwrite::No && isThere(order.output, take, quote)) {
      orders.there.push_back(std::move(order));
      continue;
    }
    if (!order.toStandardOutput())
      if (const auto allowed = originals.check(order.output); !allowed)
        return tl::unexpected(allowed.error());
    if (const auto checked = checkOrder(order); !checked)
      return tl::unexpected(checked.error());
    orders.toMake.push_back(std::move(order));
  }
  return orders;
}

/// Names the price of several takes, and divides what the run may cost among them, so that whatever they meet, all of
/// them together stay below it.
Result<void> shareCost(std::vector<Order> &orders, const Wanted &wanted, const Quote &quote) {
  const double cap = wanted.order.settings.maximumCost;
  if (const auto allowed = checkCaps(quote, cap); !allowed)
    return allowed;
  const size_t toBuy = quote.toBuy();
  const auto due = quote.due();
  if (loudness() != Loudness::Quiet)
    printProgress(std::to_string(quote.takes.size()) + " takes, " +
                  (toBuy == 0 ? "all paid for"
                              : std::to_string(toBuy) + " to be bought" +
                                    (due ? " for about " + usdText(*due) + " in all" : "")));
  if (cap <= 0)
    return {};
  // what is paid for may turn out to be lost, and --on-lost buy it again
  constexpr double half = 1e-6;    // of the smallest sum that counts
  constexpr double nothing = 1e-9; // 0 would be no cap
  const double rest = std::max(cap - due.value_or(0), 0.0);
  for (Order &order : orders) {
    const auto &earlier = quote.takes[order.settings.take - quote.firstTake];
    order.settings.maximumCost = earlier && earlier->buysNothing
                                     ? std::max(rest / static_cast<double>(quote.takes.size() - toBuy), nothing)
                                     : quote.price->usd + half;
  }
  return {};
}

ExitCode generate(const Wanted &wanted) {
  const bool several = wanted.count > 1;
  const auto found = wanted.dryRun || several
                         ? std::optional(quote(wanted.order.settings, wanted.count, Asking::Service))
                         : std::nullopt;
  if (found && !*found)
    return refuseFile(found->error());
  auto orders = ordersOf(wanted, several ? &**found : nullptr);
  if (!orders)
    return refuseFile(orders.error());
  if (wanted.dryRun) {
    if (const auto allowed = checkCaps(**found, wanted.order.settings.maximumCost); !allowed)
      return refuseFile(allowed.error());
    show(**found);
    return ExitCode::Success;
  }
  if (!several)
    return makeFile(std::move(orders->toMake.front()));
  if (const auto shared = shareCost(orders->toMake, wanted, **found); !shared)
    return refuseFile(shared.error());
  return makeTakes(std::move(orders->toMake), orders->there);
}

std::string explanation() {
  std::string text = "Generates a clip into a file. The same command again never buys twice: it resumes what is\n"
                     "bought, or replays it. The output appears under its name when it is whole; without -o the\n"
                     "prompt names a file that is not there yet.\n\n"
                     "Profiles:";
  for (const Profile &profile : profiles())
    text += "\n  " + std::string(profile.name) + std::string(8 - std::string(profile.name).size(), ' ') + profile.about;
  return text;
}

} // namespace

ExitCode runGenerate(const Arguments &arguments) {
  gint count = 1;
  gboolean dryRun = FALSE;
  const GOptionEntry countEntries[] = {
      {"count", 0, 0, G_OPTION_ARG_INT, &count,
       "how many takes to make, each a purchase of its own; {take} in the name of the output is the number of each",
       "NUMBER"},
      {},
  };
  const GOptionEntry moneyEntries[] = {
      {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dryRun, "check everything and say what it costs; buy and make nothing",
       nullptr},
      {},
  };
  const std::string about = explanation();
  Options options("generate", "[PROMPT]", about.c_str());
  OutputOptions outputOptions;
  outputOptions.addTo(options);
  options.add(countEntries, outputGroup);
  FieldOptions fieldOptions([](const Field &) { return true; });
  fieldOptions.addTo(options);
  options.add(moneyEntries, moneyGroup);
  const auto words = options.parse(arguments, 1);
  const auto properties = words ? fieldOptions.textsWith(*words) : std::nullopt;
  auto order = properties ? outputOptions.order() : std::nullopt;
  if (!order)
    return ExitCode::Usage;
  const auto usage = [](const std::string &what) {
    printUsageError(what);
    return ExitCode::Usage;
  };
  auto settings = settingsFrom(*properties);
  if (!settings)
    return usage(settings.error().text());
  constexpr gint most = 100;
  if (count < 1 || count > most)
    return usage("--count must be from 1 to " + std::to_string(most));
  if (count > 1 && outputOptions.given() && !namesTake(outputOptions.name()))
    return usage("--count makes several files: put {take} into the name of the output, as in boat-{take}.mp4");
  if (count > 1 && settings->fetchesOnly())
    return usage("--count is for what is to be made, not for --generation-id");
  order->settings = std::move(*settings);
  const auto profile = outputOptions.profile();
  if (!profile)
    return refuseFile(profile.error());
  order->profile = *profile;
  return generate({.order = std::move(*order),
                   .properties = *properties,
                   .output = outputOptions.name(),
                   .toStandardOutput = outputOptions.toStandardOutput(),
                   .count = static_cast<unsigned>(count),
                   .dryRun = dryRun != FALSE});
}

} // namespace aimlvideo::cli
