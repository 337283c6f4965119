// SPDX-License-Identifier: LGPL-2.1-or-later
#include "doctor.h"

#include <algorithm>

#include <json-glib/json-glib.h>
#include <libsoup/soup.h>
#include <sqlite3.h>

#include "command.h"
#include "config.h"
#include "envelope.h"
#include "field_options.h"
#include "options.h"
#include "output.h"
#include "table.h"

namespace aimlvideo::cli {

namespace {

using State = Finding::State;

Finding versions() {
  const auto numbers = [](const char *name, unsigned major, unsigned minor, unsigned micro) {
    return std::string(", ") + name + " " + std::to_string(major) + "." + std::to_string(minor) + "." +
           std::to_string(micro);
  };
  std::string text = "aimlvideo " PACKAGE_VERSION;
  if (const std::string gstreamer = gstreamerVersion(); !gstreamer.empty())
    text += ", " + gstreamer;
  text += numbers("libsoup", soup_get_major_version(), soup_get_minor_version(), soup_get_micro_version());
  text += numbers("GLib", glib_major_version, glib_minor_version, glib_micro_version);
  return {"versions", State::Fine, text + ", SQLite " + sqlite3_libversion(), ""};
}

const char *wordFor(State state) {
  switch (state) {
  case State::Fine:
    return "ok";
  case State::Remark:
    return "warning";
  case State::Wrong:
    return "failed";
  case State::Skipped:
    return "skipped";
  }
  return "";
}

std::optional<Colour> colourOf(State state) {
  if (state == State::Wrong)
    return Colour::Red;
  return state == State::Remark ? std::optional(Colour::Yellow) : std::nullopt;
}

json::Value jsonOf(const Findings &findings) {
  json::Value checks = json::Value::array();
  for (const Finding &finding : findings) {
    json::Value check =
        json::Value::object({{"check", finding.check}, {"state", wordFor(finding.state)}, {"text", finding.text}});
    if (!finding.hint.empty())
      check.set("hint", finding.hint);
    checks.add(check);
  }
  return json::Value::object({{"checks", checks}});
}

void printFinding(const Finding &finding, size_t width) {
  const std::string head = std::string(wordFor(finding.state)) + std::string(9 - strlen(wordFor(finding.state)), ' ') +
                           finding.check + std::string(width + 2 - finding.check.size(), ' ');
  const std::string indent(head.size(), ' ');
  print(head + wrapped(finding.text, indent).substr(indent.size()), colourOf(finding.state));
  if (!finding.hint.empty())
    print(wrapped("-> " + finding.hint, indent));
}

size_t countOf(const Findings &findings, State state) {
  return static_cast<size_t>(
      std::ranges::count_if(findings, [state](const Finding &finding) { return finding.state == state; }));
}

std::string summaryOf(size_t wrong, size_t remarks) {
  const auto counted = [](size_t number, const char *one, const char *many) {
    return std::to_string(number) + " " + (number == 1 ? one : many);
  };
  if (wrong > 0)
    return counted(wrong, "thing that is needed does not work", "things that are needed do not work");
  return "All that is needed works" +
         (remarks > 0 ? ", with " + counted(remarks, "warning", "warnings") : std::string());
}

ExitCode report(const Findings &findings) {
  size_t width = 0;
  for (const Finding &finding : findings)
    width = std::max(width, finding.check.size());
  for (const Finding &finding : findings)
    printFinding(finding, width);
  printJson(jsonOf(findings));
  const size_t wrong = countOf(findings, State::Wrong);
  const std::string summary = summaryOf(wrong, countOf(findings, State::Remark));
  print("\n" + summary + ".");
  if (wrong == 0)
    return ExitCode::Success;
  std::vector<std::string> problems;
  for (const Finding &finding : findings)
    if (finding.state == State::Wrong)
      problems.push_back(finding.check + ": " + finding.text);
  return Answer::instance().fail("checks-failed", summary, problems);
}

constexpr auto explanation =
    "Looks at all that a generation needs: the key, the way to the service, the balance, the\n"
    "ledger and the kept clips, the disk, and what GStreamer has for each profile. Says what to\n"
    "do where something does not work. It buys nothing and changes nothing. The exit code is 0\n"
    "only where all that is needed works.";

} // namespace

ExitCode runDoctor(const Arguments &arguments) {
  gboolean offline = FALSE;
  TextOption profile;
  const GOptionEntry entries[] = {
      {"offline", 0, 0, G_OPTION_ARG_NONE, &offline, "leave the service alone", nullptr},
      {"profile", 0, 0, G_OPTION_ARG_STRING, profile.slot(),
       "of GStreamer only what this profile needs, instead of all", "PROFILE"},
      {},
  };
  Options options("doctor", nullptr, explanation);
  FieldOptions serviceOptions(isAboutService);
  options.add(entries);
  serviceOptions.addTo(options);
  if (!options.parse(arguments, 0))
    return ExitCode::Usage;
  const auto settings = serviceOptions.settings();
  if (!settings)
    return ExitCode::Usage;
  Findings findings{versions()};
  examineService(*settings, offline ? Network::Leave : Network::Ask, findings);
  examineFiles(findings);
  if (const auto examined = examineGStreamer(profile.text(), findings); !examined)
    return printError(examined.error());
  return report(findings);
}

} // namespace aimlvideo::cli
