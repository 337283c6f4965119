// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command.h"
#include "output.h"

namespace aimlvideo::cli {

namespace {

ExitCode refuse(const char *command) {
  return printError(failure(ErrorKind::NotFound, std::string("aimlvideo ") + command + " is not available",
                            "this aimlvideo was built without GStreamer", "Build it with -Dplugin=enabled")
                        .value());
}

} // namespace

ExitCode runGenerate(const Arguments &) {
  return refuse("generate");
}

ExitCode runFetch(const Arguments &) {
  return refuse("fetch");
}

ExitCode runBatch(const Arguments &) {
  return refuse("batch");
}

} // namespace aimlvideo::cli
