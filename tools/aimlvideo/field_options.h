// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <aimlvideo/field.h>

#include "options.h"

namespace aimlvideo::cli {

/// What fields are set to, as texts, by name.
using FieldTexts = std::map<std::string, std::string>;

/// BadRequest: there is no such field, or it is none for a command line: the key, since every user of a machine can
/// read the command lines of the others, and what makes no sense where a file is made.
Result<const Field *> fieldForCommandLine(const std::string &name);

/// What the texts say. BadRequest: a name or a value that can't be used.
Result<Settings> settingsFrom(const FieldTexts &texts);

/// Fields as options of the same name.
class FieldOptions {
public:
  /// Those that `wanted` is true for.
  explicit FieldOptions(std::function<bool(const Field &)> wanted) : wanted_(std::move(wanted)) {}
  void addTo(Options &options);
  /// Those that were given.
  FieldTexts texts() const;
  /// The same with the prompt that stands among the arguments. Empty: there are two, and this has been printed.
  std::optional<FieldTexts> textsWith(const Arguments &words) const;
  /// Empty: a value makes no sense, and this has been printed. `words`: see above.
  std::optional<Settings> settings(const Arguments &words = {}) const;

private:
  struct Slot {
    const Field *field = nullptr;
    TextOption text;
    gboolean flag = FALSE;
  };
  const std::function<bool(const Field &)> wanted_;
  std::deque<Slot> slots_;               // their addresses are known to GOption
  std::deque<std::string> placeholders_; // likewise
};

/// Where the service is and who asks.
bool isAboutService(const Field &field);

} // namespace aimlvideo::cli
