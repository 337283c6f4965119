// SPDX-License-Identifier: LGPL-2.1-or-later
// How long set_state() takes an application, by the phase in which the service stalls: the worst and the median of
// ROUNDS, in milliseconds, as a Markdown table. `meson compile -C build state-changes &&
// GST_PLUGIN_PATH=build/gst-plugin build/tests/bench/state-changes [ROUNDS]`
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "support/check.h"
#include "support/pipeline.h"
#include "support/stall.h"

using namespace aimlvideo::test;

namespace {

int rounds = 20;

double milliseconds(const std::function<void()> &call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

struct Times {
  std::vector<double> values;

  double worst() const { return *std::max_element(values.begin(), values.end()); }
  double median() const {
    std::vector<double> sorted = values;
    std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
    return sorted[sorted.size() / 2];
  }
};

void measure(Phase phase, const char *mode, const char *line) {
  Times paused;
  Times null;
  for (int i = 0; i < rounds; ++i) {
    FakeService service;
    stallIn(service, phase);
    Pipeline pipeline(service, line);
    pipeline.setState(GST_STATE_READY); // loading the plugins is not ours
    paused.values.push_back(milliseconds([&] { pipeline.setState(GST_STATE_PLAYING); }));
    waitForStall(service, phase);
    null.values.push_back(milliseconds([&] { pipeline.setState(GST_STATE_NULL); }));
  }
  std::printf("| %s | %s | %.2f (%.2f) | %.2f (%.2f) |\n", nameOf(phase), mode, paused.worst(), paused.median(),
              null.worst(), null.median());
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc > 1)
    rounds = std::atoi(argv[1]);
  std::puts("| phase | mode | set_state(PLAYING), worst (median), ms | set_state(NULL), worst (median), ms |\n"
            "|---|---|---|---|");
  for (const Phase phase : allPhases) {
    measure(phase, "push", "SRC ! queue ! fakesink");
    measure(phase, "pull", "SRC ! decodebin ! fakesink");
  }
  return 0;
}
