// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command.h"

namespace aimlvideo::cli {

namespace {

constexpr Command all[] = {
    {"models", "list the video models, or explain one", runModels},
    {"check", "check a request without sending it, and estimate its price", runCheck},
    {"generate", "make a clip from a prompt into a file", runGenerate},
    {"batch", "make all clips of a manifest", runBatch},
    {"submit", "buy a generation without waiting for it", runSubmit},
    {"wait", "wait until generations are made", runWait},
    {"fetch", "fetch the clip of a job into a file", runFetch},
    {"jobs", "what was bought: list, show, resume, resolve, forget", runJobs},
    {"limit", "what may be spent in a day and a month: show, set, unset", runLimit},
    {"inspect", "what files say of the model that made them", runInspect},
    {"cache", "the clips that are kept: list, size, prune, verify", runCache},
    {"mcp", "serve the Model Context Protocol, for agents", runMcp},
    {"metrics", "what was bought, in flight and spent, for Prometheus", runMetrics},
    {"balance", "show the account's balance", runBalance},
    {"doctor", "find out why something does not work, and what to do", runDoctor},
};

} // namespace

std::span<const Command> commands() {
  return all;
}

} // namespace aimlvideo::cli
