// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>

#include "api/deprecations.h"
#include "base/json/value.h"
#include "command.h"
#include "field_options.h"
#include "options.h"
#include "output.h"
#include "quote.h"
#include "service/account.h"
#include "service/listing.h"

namespace aimlvideo::cli {

namespace {

constexpr std::chrono::seconds patience{30};

/// What decides what is sent, whether it is bought, and where.
bool isChecked(const Field &field) {
  static constexpr std::string_view others[] = {"endpoint", "take", "reuse", "max-cost"};
  return field.group == FieldGroup::Request || isAboutService(field) ||
         std::ranges::find(others, field.name) != std::end(others);
}

/// Whether the service gives the model up.
void addDeprecation(Plan &plan, const Settings &settings) {
  Cancellation cancellation;
  HttpSession session(sessionOptionsOf(settings));
  const auto list =
      Loop::instance().wait(fetchDeprecations(session, plan.baseUrl, cancellation, Clock::now() + patience));
  if (const auto deprecation = list ? deprecationIn(*list, plan.request.model) : std::nullopt)
    plan.request.warnings.push_back(deprecation->sentence(plan.request.model));
}

} // namespace

ExitCode runCheck(const Arguments &arguments) {
  gboolean offline = FALSE;
  const GOptionEntry entries[] = {
      {"offline", 0, 0, G_OPTION_ARG_NONE, &offline,
       "do not ask the service for the price, or whether it will withdraw the model", nullptr},
      {},
  };
  Options options("check", "[PROMPT]",
                  "Checks a request against the model's documentation without sending it, and says what it costs and\n"
                  "whether it is paid for. Needs no key, costs nothing. Exit code 3: the request is wrong.");
  FieldOptions fieldOptions(isChecked);
  fieldOptions.addTo(options);
  options.add(entries);
  const auto words = options.parse(arguments, 1);
  const auto settings = words ? fieldOptions.settings(*words) : std::nullopt;
  if (!settings)
    return ExitCode::Usage;
  auto found = quote(*settings, 1, offline ? Asking::Nobody : Asking::Service);
  if (found && !offline) {
    addDeprecation(found->plan, *settings);
    if (const auto allowed = checkCaps(*found, 0); !allowed)
      found = tl::unexpected(allowed.error());
  }
  if (!found) {
    printJson(json::Value::object({{"valid", false}}));
    return printError(found.error());
  }
  show(*found);
  return ExitCode::Success;
}

} // namespace aimlvideo::cli
