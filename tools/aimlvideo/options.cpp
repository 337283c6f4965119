// SPDX-License-Identifier: LGPL-2.1-or-later
#include "options.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <utility>

#include <aimlvideo/log.h>

#include "api/nearest.h"
#include "base/glib_ptr.h"
#include "envelope.h"
#include "output.h"
#include "table.h"

namespace aimlvideo::cli {

void trustTypedBaseUrl(const std::string &baseUrl) {
  if (!baseUrl.empty())
    g_setenv("AIMLAPI_BASE_URL", baseUrl.c_str(), TRUE);
}

namespace {

/// For `--verbose`: what the engine writes to its log goes to standard error.
class TerminalLog : public LogSink {
public:
  bool wants(LogLevel level) const override { return level <= most; }

  void write(LogLevel level, const std::string &line, const std::source_location &place) override {
    static constexpr const char *names[] = {"warning", "info", "debug", "log"};
    GDateTime *now = g_date_time_new_now_local();
    const GCharPtr time(g_date_time_format(now, "%H:%M:%S"));
    g_date_time_unref(now);
    const GCharPtr file(g_path_get_basename(place.file_name()));
    g_printerr("%s %s %s:%u: %s\n", time.get(), names[static_cast<size_t>(level)], file.get(),
               static_cast<unsigned>(place.line()), line.c_str());
  }

  std::atomic<LogLevel> most = LogLevel::Debug;
};

gboolean speakMore(const gchar *, const gchar *, gpointer, GError **) {
  static TerminalLog *log = nullptr;
  if (log)
    log->most = LogLevel::Log;
  else
    setLogSink(log = new TerminalLog);
  setLoudness(Loudness::Verbose);
  return TRUE;
}

gboolean speakLess(const gchar *, const gchar *, gpointer, GError **) {
  setLoudness(Loudness::Quiet);
  return TRUE;
}

constexpr std::pair<const char *, ColourChoice> colourChoices[] = {
    {"auto", ColourChoice::Auto}, {"always", ColourChoice::Always}, {"never", ColourChoice::Never}};

gboolean colour(const gchar *, const gchar *text, gpointer, GError **error) {
  const auto *chosen =
      std::ranges::find_if(colourChoices, [text](const auto &choice) { return g_str_equal(choice.first, text); });
  if (chosen != std::end(colourChoices))
    return chooseColour(chosen->second), TRUE;
  g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
              "--color can't be \"%s\": allowed is auto, always or never", text);
  return FALSE;
}

gboolean helpWanted = FALSE;
gboolean allHelpWanted = FALSE;

/// Where parse() is to leave what it was made for, instead of parsing; null: it parses.
CommandFacts *wantedFacts = nullptr;

constexpr size_t widestHelp = 100;
constexpr size_t usualWidth = 80;
constexpr size_t narrow = 60; ///< below it texts stand below their options

size_t helpWidth() {
  return std::min(terminalWidth().value_or(usualWidth), widestHelp);
}

std::vector<std::string> split(const std::string &text, const char *separator) {
  const GStrvPtr parts(g_strsplit(text.c_str(), separator, -1));
  return {parts.get(), parts.get() + g_strv_length(parts.get())};
}

OptionFacts factsOf(const GOptionEntry &entry, const char *group, Options::Listed listed) {
  using Value = OptionFacts::Value;
  OptionFacts facts;
  facts.group = group;
  facts.name = entry.long_name;
  facts.letter = entry.short_name;
  facts.about = entry.description ? entry.description : "";
  facts.placeholder = entry.arg_description ? entry.arg_description : "";
  facts.rare = listed == Options::Listed::InFullHelp;
  if (facts.placeholder.empty())
    return facts;
  if (facts.placeholder.find('|') != std::string::npos)
    facts.choices = split(facts.placeholder, "|");
  const bool isPath = entry.arg == G_OPTION_ARG_FILENAME || facts.placeholder == "FILE" || facts.placeholder == "IMAGE";
  facts.value = facts.placeholder == "FOLDER" ? Value::Folder : isPath ? Value::File : Value::Text;
  return facts;
}

/// `  -d, --duration=SECONDS`
std::string leftColumn(const OptionFacts &option) {
  return (option.letter != '\0' ? std::string("  -") + option.letter + ", --" : std::string("  --")) + option.name +
         (option.placeholder.empty() ? "" : "=" + option.placeholder);
}

/// The short help leaves out the small print behind the first semicolon.
std::string rightColumn(const OptionFacts &option, bool all) {
  return all ? option.about : option.about.substr(0, option.about.find(';'));
}

void printOption(const OptionFacts &option, bool all) {
  const size_t gap = helpWidth() < narrow ? 6 : 30;
  const std::string left = leftColumn(option);
  std::string about = rightColumn(option, all);
  about.replace(0, 1, 1, g_ascii_toupper(about.empty() ? ' ' : about.front()));
  const std::string text = wrapped(about, std::string(gap, ' '), helpWidth() - 2);
  if (cellsOf(left) + 2 <= gap)
    print(left + text.substr(cellsOf(left)));
  else
    print(left + "\n" + text);
}

} // namespace

Options::Options(const char *command, const char *arguments, const char *summary)
    : context_(g_option_context_new(arguments)) {
  g_set_prgname(("aimlvideo " + std::string(command)).c_str()); // messages of GLib begin with it
  facts_ = {command, arguments ? arguments : "", summary, {}};
  g_option_context_set_help_enabled(context_, FALSE);
  const GOptionEntry usual[] = {
      {"quiet", 'q', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, reinterpret_cast<gpointer>(speakLess),
       "show results, warnings and errors only", nullptr},
      {"verbose", 'v', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, reinterpret_cast<gpointer>(speakMore),
       "show decisions and requests; twice: also what is received", nullptr},
      {"color", 0, 0, G_OPTION_ARG_CALLBACK, reinterpret_cast<gpointer>(colour),
       "colours for failures; auto: on a terminal, unless NO_COLOR is set", "auto|always|never"},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json_, "answer in JSON, for programs", nullptr},
      {"help", 'h', 0, G_OPTION_ARG_NONE, &helpWanted, "show this help", nullptr},
      {"help-all", 0, 0, G_OPTION_ARG_NONE, &allHelpWanted, "show all options, and all about them", nullptr},
      {},
  };
  add(usual);
  usualOptions_ = facts_.options.size();
}

Options::~Options() {
  g_option_context_free(context_);
}

void Options::add(const GOptionEntry *entries, const char *group, Listed listed) {
  g_option_context_add_main_entries(context_, entries, nullptr);
  for (const GOptionEntry *entry = entries; entry->long_name; ++entry)
    facts_.options.push_back(factsOf(*entry, group, listed));
}

/// Lists options below the headings of their groups; those that every command has come last.
void Options::help(bool all) const {
  print("Usage: aimlvideo " + facts_.name + " [OPTION...]" + (facts_.arguments.empty() ? "" : " " + facts_.arguments) +
        "\n\n" + facts_.about);
  bool left = false;
  for (const char *group : {outputGroup, requestGroup, moneyGroup, serviceGroup, otherGroup}) {
    std::vector<const OptionFacts *> shown;
    for (size_t i = 0; i < facts_.options.size(); ++i) {
      const OptionFacts &option = facts_.options[(i + usualOptions_) % facts_.options.size()];
      if (option.group != group)
        continue;
      left = left || (option.rare && !all);
      if (all || !option.rare)
        shown.push_back(&option);
    }
    if (!shown.empty())
      print(std::string("\n") + group + ":");
    for (const OptionFacts *option : shown)
      printOption(*option, all);
  }
  if (left)
    print("\n'aimlvideo " + facts_.name + " --help-all' lists all options.");
}

std::string Options::nearestOption(const Arguments &arguments) const {
  std::vector<std::string> names;
  names.reserve(facts_.options.size());
  for (const OptionFacts &option : facts_.options)
    names.push_back(option.name);
  for (const std::string &argument : arguments) {
    if (argument == "--")
      break;
    const std::string name = argument.starts_with("--") ? argument.substr(2, argument.find('=') - 2) : "";
    if (name.empty() || std::ranges::find(names, name) != names.end())
      continue;
    const std::string nearest = nearestTo(name, names);
    return nearest.empty() ? "" : ". Did you mean --" + nearest + "?";
  }
  return "";
}

std::optional<Arguments> Options::parse(const Arguments &arguments, size_t mostArguments) {
  if (wantedFacts)
    return *std::exchange(wantedFacts, nullptr) = facts_, std::nullopt;
  // GOption takes the program's name from the first
  char **list = g_new0(char *, arguments.size() + 2);
  list[0] = g_strdup("aimlvideo");
  for (size_t i = 0; i < arguments.size(); ++i)
    list[i + 1] = g_strdup(arguments[i].c_str());
  GErrorSlot error;
  const bool parsed = g_option_context_parse_strv(context_, &list, &error);
  const GStrvPtr owned(list);
  if (helpWanted || allHelpWanted) {
    Answer::instance().setForProgram(false);
    help(allHelpWanted);
    std::exit(0);
  }
  if (!parsed) {
    const bool unknown = g_error_matches(error.get(), G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION) != FALSE;
    printUsageError(error.message() + (unknown ? nearestOption(arguments) : ""));
    return {};
  }
  Answer::instance().setForProgram(json_ != FALSE);
  Arguments rest;
  for (char **argument = owned.get() + 1; *argument; ++argument)
    if (rest.size() > 0 || g_strcmp0(*argument, "--") != 0)
      rest.emplace_back(*argument);
  if (rest.size() > mostArguments) {
    printUsageError(
        "\"" + rest[mostArguments] + "\" is one argument too many" +
        (facts_.arguments.find("PROMPT") != std::string::npos ? ": a prompt of several words needs quotes" : ""));
    return {};
  }
  return rest;
}

CommandFacts factsOf(const Command &command) {
  CommandFacts facts;
  facts.name = command.name;
  wantedFacts = &facts;
  command.run({});
  wantedFacts = nullptr;
  return facts;
}

} // namespace aimlvideo::cli
