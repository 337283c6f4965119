// SPDX-License-Identifier: LGPL-2.1-or-later
#include "options.h"

#include <atomic>

#include <aimlvideo/log.h>

#include "base/glib_ptr.h"
#include "envelope.h"
#include "output.h"

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
  return TRUE;
}

} // namespace

Options::Options(const char *command, const char *arguments, const char *summary)
    : context_(g_option_context_new(arguments)) {
  g_set_prgname(("aimlvideo " + std::string(command)).c_str()); // GOption's help begins with it
  g_option_context_set_summary(context_, summary);
  const GOptionEntry entries[] = {
      {"verbose", 'v', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, reinterpret_cast<gpointer>(speakMore),
       "show decisions and requests; twice: also what is received", nullptr},
      {"json", 0, 0, G_OPTION_ARG_NONE, &json_, "answer in JSON, for programs", nullptr},
      {},
  };
  add(entries);
}

Options::~Options() {
  g_option_context_free(context_);
}

void Options::add(const GOptionEntry *entries) {
  g_option_context_add_main_entries(context_, entries, nullptr);
}

std::optional<Arguments> Options::parse(const Arguments &arguments, size_t mostArguments) {
  // GOption takes the program's name from the first
  char **list = g_new0(char *, arguments.size() + 2);
  list[0] = g_strdup("aimlvideo");
  for (size_t i = 0; i < arguments.size(); ++i)
    list[i + 1] = g_strdup(arguments[i].c_str());
  GErrorSlot error;
  const bool parsed = g_option_context_parse_strv(context_, &list, &error);
  const GStrvPtr owned(list);
  if (!parsed) {
    printUsageError(error.message());
    return {};
  }
  Answer::instance().setForProgram(json_ != FALSE);
  Arguments rest;
  for (char **argument = owned.get() + 1; *argument; ++argument)
    if (rest.size() > 0 || g_strcmp0(*argument, "--") != 0)
      rest.emplace_back(*argument);
  if (rest.size() > mostArguments) {
    printUsageError("\"" + rest[mostArguments] + "\" is one argument too many");
    return {};
  }
  return rest;
}

} // namespace aimlvideo::cli
