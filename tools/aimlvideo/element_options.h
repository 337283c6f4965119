// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "options.h"
#include "properties.h"

namespace aimlvideo::cli {

/// Properties of aimlvideosrc as text, by name.
using PropertyTexts = std::map<std::string, std::string>;

/// The element's properties that a text can set on a command line or in a manifest: all but the key, which is no
/// business of either, and what makes no sense where a file is made.
std::vector<GParamSpec *> settableProperties();

/// BadRequest: there is no such property, or it is none for texts.
Result<void> checkPropertyName(const std::string &name);

/// What the element would take these texts for. BadRequest: a name or a value that it does not take.
Result<ElementSettings> settingsFrom(const PropertyTexts &texts);

/// Sets them on an element; they have passed settingsFrom().
void apply(const PropertyTexts &texts, GstElement *element);

/// Makes the element linked into this program known to GStreamer, before any that is installed.
void registerElement();

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
