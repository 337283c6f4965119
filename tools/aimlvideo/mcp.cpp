// SPDX-License-Identifier: LGPL-2.1-or-later
#include <filesystem>

#include <unistd.h>

#include <aimlvideo/money.h>

#include "command.h"
#include "envelope.h"
#include "field_options.h"
#include "mcp_tools.h"
#include "options.h"
#include "output.h"

namespace aimlvideo::cli {

namespace {

/// The real path of a folder; empty: there is none.
std::string realFolder(const std::string &folder) {
  std::error_code error;
  const auto real = std::filesystem::canonical(folder, error);
  return error || !std::filesystem::is_directory(real, error) ? "" : real.string();
}

/// How the service is reached, and what is kept of requests.
bool isForServer(const Field &field) {
  return isAboutService(field) || field.name == std::string_view("user-agent") ||
         field.name == std::string_view("store-prompt");
}

ExitCode serve(McpTerms terms) {
  Answer::instance().setForProgram(false); // standard output is the protocol's
  GMainLoop *loop = g_main_loop_new(nullptr, FALSE);
  {
    McpTools tools(std::move(terms));
    McpServer server(tools.instructions(), tools.tools(), tools.resources());
    server.serve(STDIN_FILENO, [&] { g_main_loop_quit(loop); });
    runLoop(loop, [&] { g_main_loop_quit(loop); });
  }
  g_main_loop_unref(loop);
  return ExitCode::Success;
}

constexpr auto explanation =
    "Serves the Model Context Protocol on standard input and output, for agents: the tools models, check,\n"
    "submit, wait, fetch, jobs and balance. It buys nothing unless --max-cost says how much, writes no\n"
    "file unless --output-folder says where, and sends local files from --files-from only.";

} // namespace

ExitCode runMcp(const Arguments &arguments) {
  TextOption mostCost;
  TextOption mostCostPerCall;
  TextOption outputFolder;
  TextOption filesFrom;
  const GOptionEntry entries[] = {
      {"max-cost", 0, 0, G_OPTION_ARG_STRING, mostCost.slot(), "buy at most for this while it runs", "USD"},
      {"max-cost-per-call", 0, 0, G_OPTION_ARG_STRING, mostCostPerCall.slot(), "and at most for this in one call",
       "USD"},
      {"output-folder", 0, 0, G_OPTION_ARG_FILENAME, outputFolder.slot(), "make files below this folder", "FOLDER"},
      {"files-from", 0, 0, G_OPTION_ARG_FILENAME, filesFrom.slot(), "requests may name files below this folder",
       "FOLDER"},
      {},
  };
  Options options("mcp", nullptr, explanation);
  options.add(entries);
  FieldOptions fieldOptions(isForServer);
  fieldOptions.addTo(options);
  if (!options.parse(arguments, 0))
    return ExitCode::Usage;
  const auto usage = [](const std::string &what) {
    printUsageError(what);
    return ExitCode::Usage;
  };
  McpTerms terms;
  for (const auto &[name, option, amount] :
       {std::tuple("--max-cost", &mostCost, &terms.maximumCost),
        std::tuple("--max-cost-per-call", &mostCostPerCall, &terms.maximumCostPerCall)}) {
    const auto usd = option->given() ? parseUsd(option->text()) : std::optional(0.0);
    if (!usd)
      return usage(std::string(name) + " can't be \"" + option->text() +
                   "\": it is an amount in USD, such as 10 or 0.50");
    *amount = *usd;
  }
  if (mostCostPerCall.given() && !mostCost.given())
    return usage("--max-cost-per-call needs --max-cost, which is for all calls");
  for (const auto &[name, option] :
       {std::pair("--output-folder", &outputFolder), std::pair("--files-from", &filesFrom)})
    if (option->given() && realFolder(option->text()).empty())
      return usage(std::string(name) + " can't be \"" + option->text() + "\": there is no such folder");
  terms.outputFolder = outputFolder.given() ? realFolder(outputFolder.text()) : "";
  if (filesFrom.given())
    terms.requests.inputs.add(filesFrom.text());
  terms.requests.properties = fieldOptions.texts();
  terms.requests.shared.profile = &profiles().front();
  auto settings = settingsFrom(terms.requests.properties);
  if (!settings)
    return usage(settings.error().text());
  terms.service = std::move(*settings);
  return serve(std::move(terms));
}

} // namespace aimlvideo::cli
