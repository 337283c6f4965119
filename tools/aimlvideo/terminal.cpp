// SPDX-License-Identifier: LGPL-2.1-or-later
#include "terminal.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <utility>

#include <glib-unix.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <aimlvideo/printable.h>

#include "base/glib_ptr.h"
#include "envelope.h"
#include "output.h"

namespace aimlvideo::cli {

namespace {

constexpr size_t usualWidth = 80;

size_t terminalWidth() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usualWidth;
}

/// The first characters of a text, without what would move the cursor.
std::string cut(const std::string &text, size_t width) {
  const std::string line = printable(text);
  const auto length = static_cast<size_t>(g_utf8_strlen(line.c_str(), -1));
  const char *end = g_utf8_offset_to_pointer(line.c_str(), static_cast<glong>(std::min(width, length)));
  return line.substr(0, static_cast<size_t>(end - line.c_str()));
}

} // namespace

LiveLines::LiveLines() {
  const char *terminal = g_getenv("TERM");
  possible_ = isatty(STDERR_FILENO) != 0 && g_strcmp0(terminal, "dumb") != 0;
}

void LiveLines::show(const std::vector<std::string> &lines) {
  if (!possible_)
    return;
  clear();
  const size_t width = terminalWidth() - 1;
  for (const std::string &line : lines)
    std::fprintf(stderr, "%s\n", cut(line, width).c_str());
  shown_ = lines.size();
}

void LiveLines::clear() {
  if (shown_ > 0) // up to the first of them, and everything below goes
    std::fprintf(stderr, "\033[%zuA\r\033[J", shown_);
  shown_ = 0;
}

std::string bar(int percent) {
  constexpr int cells = 20;
  const int full = std::clamp(percent, 0, 100) * cells / 100;
  char text[64];
  std::snprintf(text, sizeof text, "[%-*s] %3d %%", cells, std::string(static_cast<size_t>(full), '#').c_str(),
                percent);
  return text;
}

std::string timeText(double seconds) {
  const auto whole = std::llround(seconds);
  char text[32];
  std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
  return text;
}

std::string originText(const Status &status) {
  return status.state == State::Idle ? "" : nameOf(status.origin);
}

std::optional<double> secondsLeft(const Status &status) {
  const auto left = status.remaining();
  if (!left || (status.state != State::Queued && status.state != State::Generating))
    return {};
  return std::chrono::duration<double>(*left).count();
}

double secondsPassed(const Status &status) {
  return std::chrono::duration<double>(status.elapsed()).count();
}

std::string progressLine(const Production &production) {
  const auto percent = production.percent();
  std::string line = percent ? bar(*percent) : std::string(27, ' ');
  line += "  " + production.doing() + "  " + timeText(secondsPassed(production.status()));
  if (const auto left = secondsLeft(production.status()))
    line += ", " + timeText(*left) + " left";
  return line;
}

void runLoop(GMainLoop *loop, std::function<void()> interrupted) {
  std::vector<guint> watches;
  struct Signals {
    std::vector<guint> &watches;
    std::function<void()> interrupted;
  } caught{watches, std::move(interrupted)};
  for (const int number : {SIGINT, SIGTERM})
    watches.push_back(g_unix_signal_add(
        number,
        [](gpointer data) -> gboolean {
          auto *signals = static_cast<Signals *>(data);
          for (const guint watch : std::exchange(signals->watches, {}))
            g_source_remove(watch); // the next one does what it does by default
          signals->interrupted();
          return G_SOURCE_REMOVE;
        },
        &caught));
  g_main_loop_run(loop);
  for (const guint watch : watches)
    g_source_remove(watch);
}

Members &Members::text(const char *name, const std::string &value) {
  if (!value.empty())
    object_.set(name, value);
  return *this;
}

Members &Members::number(const char *name, std::optional<double> value) {
  if (value)
    object_.set(name, rounded(*value));
  return *this;
}

Members &Members::integer(const char *name, std::optional<int64_t> value) {
  if (value)
    object_.set(name, *value);
  return *this;
}

Members &Members::generation(const Status &status) {
  return text("generation_id", status.generationId)
      .text("model", status.model)
      .text("origin", originText(status))
      .number("elapsed", secondsPassed(status))
      .number("usd_estimated", status.estimatedUsd)
      .number("usd_spent", status.billed().usd);
}

} // namespace aimlvideo::cli
