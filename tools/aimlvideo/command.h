// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <span>
#include <string>
#include <vector>

#include "exit_code.h"

namespace aimlvideo::cli {

using Arguments = std::vector<std::string>;

/// A subcommand of `aimlvideo`. Each has a file of its own, which declares nothing but the function here.
struct Command {
  const char *name;
  const char *summary; ///< one line, for `aimlvideo help`
  /// `arguments` are those after the name.
  ExitCode (*run)(const Arguments &arguments);
};

/// All of them, in the order in which `aimlvideo help` lists them.
std::span<const Command> commands();

// batch.cpp; without_gstreamer.cpp where there is no GStreamer
ExitCode runBatch(const Arguments &arguments);
// balance.cpp
ExitCode runBalance(const Arguments &arguments);
// cache.cpp
ExitCode runCache(const Arguments &arguments);
// check.cpp
ExitCode runCheck(const Arguments &arguments);
// doctor.cpp
ExitCode runDoctor(const Arguments &arguments);
// generate.cpp; without_gstreamer.cpp where there is no GStreamer
ExitCode runGenerate(const Arguments &arguments);
// inspect.cpp; without_gstreamer.cpp where there is no GStreamer
ExitCode runInspect(const Arguments &arguments);
// jobs.cpp
ExitCode runJobs(const Arguments &arguments);
// limit.cpp
ExitCode runLimit(const Arguments &arguments);
// submit.cpp
ExitCode runSubmit(const Arguments &arguments);
// fetch.cpp; without_gstreamer.cpp where there is no GStreamer
ExitCode runFetch(const Arguments &arguments);
// mcp.cpp; without_gstreamer.cpp where there is no GStreamer
ExitCode runMcp(const Arguments &arguments);
// metrics.cpp
ExitCode runMetrics(const Arguments &arguments);
// wait.cpp
ExitCode runWait(const Arguments &arguments);
// models.cpp
ExitCode runModels(const Arguments &arguments);

} // namespace aimlvideo::cli
