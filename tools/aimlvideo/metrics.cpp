// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cstdio>

#include <aimlvideo/folders.h>

#include "base/glib_ptr.h"
#include "command.h"
#include "envelope.h"
#include "exposition.h"
#include "metrics_server.h"
#include "options.h"
#include "output.h"

namespace aimlvideo::cli {

namespace {

constexpr auto explanation =
    "What this user has bought as metrics for Prometheus, by the ledger on this machine: jobs by model and\n"
    "state, what is in flight and since when, what was made, what failed, what was spent. It asks nobody,\n"
    "needs no key, and changes nothing. Without an option it prints them.";

/// For node_exporter, which may be another user and must never see a part of it.
Result<void> writeMetrics(const std::string &file, const std::string &text) {
  constexpr int readableForAll = 0644;
  GErrorSlot error;
  if (!g_file_set_contents_full(file.c_str(), text.data(), static_cast<gssize>(text.size()),
                                G_FILE_SET_CONTENTS_CONSISTENT, readableForAll, &error))
    return failure(ErrorKind::NoSpace, file + " can't be written", error.message(),
                   "Name a file in a folder that this user can write to");
  return {};
}

ExitCode tellOnce(const std::string &file) {
  const auto tally = tallyLedger(stateFolder());
  if (!tally)
    return printError(tally.error());
  const auto metrics = metricsOf(*tally);
  printJson(jsonOf(metrics));
  const std::string text = expositionOf(metrics);
  if (file.empty())
    print(text.substr(0, text.size() - 1));
  else if (const auto written = writeMetrics(file, text); !written)
    return printError(written.error());
  return ExitCode::Success;
}

ExitCode serve(const std::string &address, Reach reach) {
  const auto server = MetricsServer::listen(address, reach, stateFolder());
  if (!server)
    return printError(server.error());
  const json::Value where = json::Value::object({{"url", (*server)->url()}});
  Answer::instance().setEvent("summary");
  printJson(where);
  const auto inbox = Inbox::create();
  inbox->post([where, url = (*server)->url()] { // once signals are waited for
    if (isForProgram())
      Answer::instance().tell("listening", where);
    print("listening on " + url);
    std::fflush(stdout);
  });
  GMainLoop *loop = g_main_loop_new(nullptr, FALSE);
  runLoop(loop, [loop] { g_main_loop_quit(loop); });
  g_main_loop_unref(loop);
  return ExitCode::Success;
}

} // namespace

ExitCode runMetrics(const Arguments &arguments) {
  TextOption file;
  TextOption address;
  gboolean allowRemote = FALSE;
  const GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, file.slot(),
       "write them to this file, as a whole, such as for the textfile collector of node_exporter", "FILE"},
      {"listen", 0, 0, G_OPTION_ARG_STRING, address.slot(),
       "serve them at http://ADDRESS:PORT/metrics until interrupted; port 0: one that is free", "ADDRESS:PORT"},
      {"allow-remote", 0, 0, G_OPTION_ARG_NONE, &allowRemote, "listen: also on an address that other machines reach",
       nullptr},
      {},
  };
  Options options("metrics", nullptr, explanation);
  options.add(entries);
  if (!options.parse(arguments, 0))
    return ExitCode::Usage;
  if (file.given() && address.given()) {
    printUsageError("--output and --listen exclude each other");
    return ExitCode::Usage;
  }
  if (allowRemote && !address.given()) {
    printUsageError("--allow-remote needs --listen");
    return ExitCode::Usage;
  }
  return address.given() ? serve(address.text(), allowRemote ? Reach::Anywhere : Reach::Loopback)
                         : tellOnce(file.text());
}

} // namespace aimlvideo::cli
