// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

#include <aimlvideo/settings.h>

namespace aimlvideo {

/// The ids of properties: those of fields() are their places in the table, from 1 on; these are the element's own.
enum class Property : guint {
  ImageSample = 1000,
  TlsDatabase,
  ExtraHeaders,
  // read-only
  CurrentGenerationId,
  Status,
  Statistics,
};

/// What the element's own properties add to the engine's settings.
struct ElementSettings : Settings {
  std::string uriAsSet; ///< empty: none was set

  ElementSettings();
};

void installProperties(GObjectClass *objectClass);

/// Takes a value over into the settings. False: it is what they had before, or can't be read back.
bool setProperty(ElementSettings &settings, Property property, const GValue *value);

/// The value of a property that can be both set and read. False: not one of these.
bool getProperty(const ElementSettings &settings, Property property, GValue *value);

} // namespace aimlvideo
