// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command.h"
#include "doctor.h"
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

ExitCode runInspect(const Arguments &) {
  return refuse("inspect");
}

ExitCode runMcp(const Arguments &) {
  return refuse("mcp");
}

ExitCode runBatch(const Arguments &) {
  return refuse("batch");
}

Result<void> examineGStreamer(const std::string &, Findings &findings) {
  findings.push_back({"plugin", Finding::State::Skipped, "this aimlvideo was built without GStreamer", ""});
  return {};
}

std::string gstreamerVersion() {
  return "";
}

} // namespace aimlvideo::cli
