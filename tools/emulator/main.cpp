// SPDX-License-Identifier: LGPL-2.1-or-later
#include <csignal>
#include <cstdio>
#include <exception>

#include <glib-unix.h>
#include <gst/gst.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "emulator/command_line.h"
#include "emulator/server.h"
#include "emulator/studio/renderer.h"

namespace {

using namespace aimlvideo;
using namespace aimlvideo::emulator;

gboolean quit(gpointer loop) {
  g_main_loop_quit(static_cast<GMainLoop *>(loop));
  return G_SOURCE_CONTINUE;
}

int fail(const std::string &why) {
  std::fprintf(stderr, "aimlapi-emulator: %s\n", why.c_str());
  return 1;
}

/// Many clients at once need more than the usual 1024 descriptors.
void raiseFileLimit() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// False if the parent has already gone.
bool endWithParent() {
  pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  return getppid() == parent;
}

tl::expected<void, std::string> loadScenario(const std::string &path, Faults &faults) {
  char *text = nullptr;
  gsize size = 0;
  GErrorSlot error;
  if (!g_file_get_contents(path.c_str(), &text, &size, &error))
    return tl::unexpected<std::string>(error.message());
  const GCharPtr owned(text);
  const auto rules = Json::parse({text, size});
  if (!rules)
    return tl::unexpected(path + ": " + rules.error());
  if (const auto loaded = faults.replace(*rules); !loaded)
    return tl::unexpected(path + ": " + loaded.error());
  return {};
}

/// What the user's `aimlvideo models --refresh` has found. Without it there is the compiled-in catalogue.
void loadOverlay(Catalogue &catalogue) {
  const std::string path = std::string(g_get_user_cache_dir()) + "/aimlvideo/models.json";
  char *text = nullptr;
  gsize size = 0;
  if (!g_file_get_contents(path.c_str(), &text, &size, nullptr))
    return;
  const GCharPtr owned(text);
  const auto overlay = Json::parse({text, size});
  if (!overlay || !catalogue.add(*overlay))
    std::fprintf(stderr, "aimlapi-emulator: %s is ignored: it is not a refreshed catalogue\n", path.c_str());
}

int run(int argc, char **argv) {
  const auto options = readOptions(argc, argv);
  if (!options)
    return fail(options.error() + "\nTry 'aimlapi-emulator --help'.");
  if (options->exitWithParent && !endWithParent())
    return 0;
  gst_init(nullptr, nullptr);
  raiseFileLimit();
  ClipPtr fixedClip;
  if (!options->clipFile.empty()) {
    const auto clip = openClip(options->clipFile);
    if (!clip)
      return fail(clip.error());
    fixedClip = *clip;
  } else if (std::string missing = missingElements(); !missing.empty()) {
    return fail("clips cannot be rendered: GStreamer lacks " + missing +
                ". Install its plugins (good, bad, ugly, libav), or give a clip with --clip.");
  }
  const auto loop = adopt(g_main_loop_new(nullptr, FALSE));
  Server server(*options, fixedClip);
  loadOverlay(server.service().catalogue);
  if (!options->scenarioFile.empty())
    if (const auto loaded = loadScenario(options->scenarioFile, server.service().faults); !loaded)
      return fail(loaded.error());
  if (const auto listening = server.listen(); !listening)
    return fail("cannot listen on " + options->address + ": " + listening.error());
  g_unix_signal_add(SIGINT, quit, loop.get());
  g_unix_signal_add(SIGTERM, quit, loop.get());
  std::printf("listening on %s\n", server.address().c_str());
  std::fflush(stdout);
  g_main_loop_run(loop.get());
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const std::exception &problem) {
    return fail(problem.what());
  }
}
