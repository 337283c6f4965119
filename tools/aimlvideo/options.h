// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

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

/// The options of one subcommand. All have `--json` and `--verbose`. `--help` is answered here and ends the process.
class Options {
public:
  /// `command` as in `models`, `arguments` as in `[ID]` or null.
  Options(const char *command, const char *arguments, const char *summary);
  Options(const Options &) = delete;
  Options &operator=(const Options &) = delete;
  ~Options();

  /// A null-terminated list; what it points at must live until parse() has returned.
  void add(const GOptionEntry *entries);

  /// The arguments that are no options. Empty: the mistake has been printed; return ExitCode::Usage.
  std::optional<Arguments> parse(const Arguments &arguments, size_t mostArguments);

private:
  GOptionContext *context_;
  gboolean json_ = FALSE;
};

} // namespace aimlvideo::cli
