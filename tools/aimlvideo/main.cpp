// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <clocale>
#include <cstdio>

#include <glib.h>

#include "api/nearest.h"
#include "base/json/value.h"
#include "command.h"
#include "completion.h"
#include "config.h"
#include "envelope.h"
#include "http/tls_trust.h"
#include "options.h"
#include "output.h"

namespace {

using namespace aimlvideo;
using namespace aimlvideo::cli;

void printHelp() {
  print("Usage: aimlvideo COMMAND [OPTION...]\n\n"
        "Video models of the AI/ML API from the command line.\n");
  size_t width = 0;
  for (const Command &command : commands())
    width = std::max(width, std::string(command.name).size());
  for (const Command &command : commands())
    print("  " + std::string(command.name) + std::string(width + 2 - std::string(command.name).size(), ' ') +
          command.summary);
  print("\n'aimlvideo COMMAND --help' explains a command, 'man aimlvideo' all of them, and 'aimlvideo help --json'\n"
        "lists all options for programs.\n"
        "The key is taken from the environment variable AIMLAPI_KEY or from --api-key-file.");
}

const Command *find(const std::string &name) {
  std::vector<std::string> names{"help"};
  for (const Command &command : commands()) {
    if (name == command.name)
      return &command;
    names.emplace_back(command.name);
  }
  const std::string nearest = nearestTo(name, names);
  printUsageError(name.starts_with('-') ? "options come after a command: aimlvideo COMMAND " + name
                                        : "there is no command \"" + name + "\"" +
                                              (nearest.empty() ? "" : ". Did you mean " + nearest + "?"));
  return nullptr;
}

json::Value jsonOf(const OptionFacts &option) {
  static constexpr const char *values[] = {"none", "text", "file", "folder"};
  json::Value object = json::Value::object({{"name", option.name},
                                            {"group", option.group},
                                            {"about", option.about},
                                            {"value", values[static_cast<size_t>(option.value)]}});
  if (option.letter != '\0')
    object.set("letter", std::string(1, option.letter));
  if (!option.choices.empty())
    object.set("choices", json::Value::array({option.choices.begin(), option.choices.end()}));
  else if (!option.placeholder.empty())
    object.set("placeholder", option.placeholder);
  return object;
}

/// All commands with all their options, for programs and for completion.
ExitCode printFacts() {
  std::vector<json::Value> all;
  for (const Command &command : commands()) {
    const CommandFacts facts = factsOf(command);
    std::vector<json::Value> options;
    options.reserve(facts.options.size());
    for (const OptionFacts &option : facts.options)
      options.push_back(jsonOf(option));
    all.push_back(json::Value::object({{"name", command.name},
                                       {"summary", command.summary},
                                       {"arguments", facts.arguments},
                                       {"options", json::Value::array({options.begin(), options.end()})}}));
  }
  printJson(json::Value::object({{"commands", json::Value::array({all.begin(), all.end()})}}));
  return ExitCode::Success;
}

/// `aimlvideo help`, or `aimlvideo help COMMAND`, which is `aimlvideo COMMAND --help`.
ExitCode help(const Arguments &arguments) {
  if (isForProgram())
    return printFacts();
  if (arguments.empty()) {
    printHelp();
    return ExitCode::Success;
  }
  const Command *command = find(arguments[0]);
  return command ? command->run({"--help"}) : ExitCode::Usage;
}

ExitCode run(const std::string &name, const Arguments &arguments) {
  if (name == "help" || name == "--help" || name == "-h" || name == "--help-all")
    return help(arguments);
  if (name == "--version") {
    print("aimlvideo " PACKAGE_VERSION);
    return ExitCode::Success;
  }
  if (name == completionCommand)
    return printCompletions(arguments);
  const Command *command = find(name);
  return command ? command->run(arguments) : ExitCode::Usage;
}

} // namespace

int main(int argc, char **argv) {
  std::setlocale(LC_ALL, "");
  std::setlocale(LC_NUMERIC, "C"); // prices are read by programs too
  g_set_prgname("aimlvideo");
  aimlvideo::TlsTrust::enable(); // this process is nobody else's
  const Arguments words{argv + std::min(argc, 1), argv + argc};
  if (words.empty()) {
    printHelp();
    return static_cast<int>(ExitCode::Usage);
  }
  const Arguments arguments{words.begin() + 1, words.end()};
  Answer::instance().begin(words.front(), arguments);
  const ExitCode code = run(words.front(), arguments);
  Answer::instance().finish(code);
  return static_cast<int>(code);
}
