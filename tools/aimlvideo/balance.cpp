// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/glib_ptr.h"
#include "command.h"
#include "envelope.h"
#include "field_options.h"
#include "options.h"
#include "output.h"
#include "service/account.h"

namespace aimlvideo::cli {

ExitCode runBalance(const Arguments &arguments) {
  Options options("balance", nullptr, "Shows how much money the account of the key has left.");
  FieldOptions serviceOptions(isAboutService);
  serviceOptions.addTo(options);
  if (!options.parse(arguments, 0))
    return ExitCode::Usage;
  const auto settings = serviceOptions.settings();
  if (!settings)
    return ExitCode::Usage;
  Cancellation cancellation;
  const auto balance = fetchBalance(*settings, cancellation);
  if (!balance)
    return printError(balance.error());
  printJson(json::Value::object({{"balance", rounded(balance->amount)}, {"currency", balance->currency}}));
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  print(std::string(g_ascii_formatd(buffer, sizeof buffer, "%.2f", balance->amount)) + " " + balance->currency);
  return ExitCode::Success;
}

} // namespace aimlvideo::cli
