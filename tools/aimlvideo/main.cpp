// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <clocale>
#include <cstdio>

#include <glib.h>

#include "command.h"
#include "config.h"
#include "envelope.h"
#include "http/tls_trust.h"
#include "output.h"

namespace {

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
  print("\n'aimlvideo COMMAND --help' explains a command, 'man aimlvideo' all of them.\n"
        "The key is taken from the environment variable AIMLAPI_KEY or from --api-key-file.");
}

const Command *find(const std::string &name) {
  for (const Command &command : commands())
    if (name == command.name)
      return &command;
  printUsageError("there is no command \"" + name + "\"");
  return nullptr;
}

/// `aimlvideo help`, or `aimlvideo help COMMAND`, which is `aimlvideo COMMAND --help`.
ExitCode help(const Arguments &arguments) {
  if (arguments.size() < 2) {
    printHelp();
    return ExitCode::Success;
  }
  const Command *command = find(arguments[1]);
  return command ? command->run({"--help"}) : ExitCode::Usage;
}

ExitCode run(const Arguments &arguments) {
  if (arguments.empty()) {
    printHelp();
    return ExitCode::Usage;
  }
  const std::string &name = arguments.front();
  if (name == "help" || name == "--help" || name == "-h")
    return help(arguments);
  if (name == "--version") {
    print("aimlvideo " PACKAGE_VERSION);
    return ExitCode::Success;
  }
  Answer::instance().begin(name, arguments);
  const Command *command = find(name);
  const ExitCode code = command ? command->run({arguments.begin() + 1, arguments.end()}) : ExitCode::Usage;
  Answer::instance().finish(code);
  return code;
}

} // namespace

int main(int argc, char **argv) {
  std::setlocale(LC_ALL, "");
  std::setlocale(LC_NUMERIC, "C"); // prices are read by programs too
  g_set_prgname("aimlvideo");
  aimlvideo::TlsTrust::enable(); // this process is nobody else's
  return static_cast<int>(run({argv + std::min(argc, 1), argv + argc}));
}
