// SPDX-License-Identifier: LGPL-2.1-or-later
#include "options.h"

#include "base/glib_ptr.h"
#include "output.h"

namespace aimlvideo::cli {

void trustTypedBaseUrl(const std::string &baseUrl) {
  if (!baseUrl.empty())
    g_setenv("AIMLAPI_BASE_URL", baseUrl.c_str(), TRUE);
}

Options::Options(const char *command, const char *arguments, const char *summary)
    : context_(g_option_context_new(arguments)) {
  g_set_prgname(("aimlvideo " + std::string(command)).c_str()); // GOption's help begins with it
  g_option_context_set_summary(context_, summary);
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
  const std::unique_ptr<char *, void (*)(char **)> owned(list, g_strfreev);
  if (!parsed) {
    printUsageError(error.message());
    return {};
  }
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
