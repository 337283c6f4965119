// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <glib.h>

#include "command.h"

namespace aimlvideo::cli {

/// A text that GOption fills: `{"model", 'm', 0, G_OPTION_ARG_STRING, model.slot(), ...}`.
class TextOption {
public:
  TextOption() = default;
  TextOption(const TextOption &) = delete;
  TextOption &operator=(const TextOption &) = delete;
  ~TextOption() { g_free(text_); }

  char **slot() { return &text_; }
  bool given() const { return text_ != nullptr; }
  std::string text() const { return text_ ? text_ : ""; }

private:
  char *text_ = nullptr;
};

/// Takes a base URL that the user typed as the one that the key of the environment is for, as `$AIMLAPI_BASE_URL` would
/// be: it is their own word, which a property, a manifest or a project file need not be.
void trustTypedBaseUrl(const std::string &baseUrl);

/// An option as help, the manual's test and completion know it.
struct OptionFacts {
  /// What a shell completes the value with.
  enum class Value { None, Text, File, Folder };

  std::string group; ///< heading of the help
  std::string name;  ///< without dashes
  char letter = '\0';
  std::string about;
  std::string placeholder; ///< of the value, as in `SECONDS`; empty: a flag
  Value value = Value::None;
  std::vector<std::string> choices; ///< the values, where there are only these
  bool rare = false;                ///< left out of the short help
};

/// All that a subcommand takes.
struct CommandFacts {
  std::string name;
  std::string arguments; ///< as in `[ID]`; may be empty
  std::string about;
  std::vector<OptionFacts> options;
};

/// Names of option groups, in the order of the help.
constexpr auto outputGroup = "The output";
constexpr auto requestGroup = "What to make";
constexpr auto moneyGroup = "Money";
constexpr auto serviceGroup = "The service";
constexpr auto otherGroup = "Other";

/// The options of one subcommand, defined once: the command line, its help, the hints at what was misspelt and
/// factsOf() are made from them. `--help` and `--help-all` are answered here and end the process;
/// every command has them, `--json` and the like.
class Options {
public:
  /// `command` as in `models`, `arguments` as in `[ID]` or null.
  Options(const char *command, const char *arguments, const char *summary);
  Options(const Options &) = delete;
  Options &operator=(const Options &) = delete;
  ~Options();

  enum class Listed { Always, InFullHelp };
  /// A null-terminated list; what it points at must live until parse() has returned. Choices are written as the
  /// placeholder `one|two|three`.
  void add(const GOptionEntry *entries, const char *group = otherGroup, Listed listed = Listed::Always);

  /// The arguments that are no options. Empty: the mistake has been printed; return ExitCode::Usage.
  std::optional<Arguments> parse(const Arguments &arguments, size_t mostArguments);

private:
  std::string nearestOption(const Arguments &arguments) const;
  void help(bool all) const;

  GOptionContext *context_;
  gboolean json_ = FALSE;
  CommandFacts facts_;
  size_t usualOptions_ = 0; ///< that every command has, added first
};

/// What a command takes. Its options are added and nothing else happens.
CommandFacts factsOf(const Command &command);

} // namespace aimlvideo::cli
