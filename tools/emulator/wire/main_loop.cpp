// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/wire/main_loop.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include <glib.h>

namespace aimlvideo::emulator {

namespace {

using Work = std::function<void()>;

gboolean runOnce(gpointer data) {
  // An exception must not unwind through GLib's C frames.
  try {
    (*static_cast<Work *>(data))();
  } catch (const std::exception &problem) {
    g_warning("deferred work failed: %s", problem.what());
  }
  return G_SOURCE_REMOVE;
}

void destroyWork(gpointer data) {
  delete static_cast<Work *>(data);
}

} // namespace

void runOnMainLoop(Work work) {
  g_idle_add_full(G_PRIORITY_DEFAULT, runOnce, new Work(std::move(work)), destroyWork);
}

void runLater(double seconds, Work work) {
  const auto milliseconds = static_cast<guint>(std::clamp(std::ceil(seconds * 1000), 0.0, 4e9)); // not before the time
  g_timeout_add_full(G_PRIORITY_DEFAULT, milliseconds, runOnce, new Work(std::move(work)), destroyWork);
}

} // namespace aimlvideo::emulator
