// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include <aimlvideo/settings.h>

#include "options.h"

namespace aimlvideo::cli {

/// Properties of aimlvideosrc as text, by name.
using PropertyTexts = std::map<std::string, std::string>;

/// BadRequest: there is no such property, or it is none for texts: the key, which is no business of a command line or a
/// manifest, and what makes no sense where a file is made.
Result<void> checkPropertyName(const std::string &name);

/// What the element would take these texts for. BadRequest: a name or a value that it does not take.
Result<Settings> settingsFrom(const PropertyTexts &texts);

/// Every settable property as an option of the same name.
class ElementOptions {
public:
  /// Whose option `--max-cost` is.
  enum class Cost { Property, Elsewhere };

  explicit ElementOptions(Cost cost = Cost::Property) : cost_(cost) {}
  void addTo(Options &options);
  /// Those that were given.
  PropertyTexts texts() const;

private:
  struct Slot {
    std::string name;
    TextOption text;
    gboolean flag = FALSE;
  };
  const Cost cost_;
  std::deque<Slot> slots_; // their addresses are known to GOption
  std::vector<GOptionEntry> entries_;
};

} // namespace aimlvideo::cli
