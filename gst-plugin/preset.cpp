// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preset.h"

#include <array>

namespace aimlvideo {

namespace {

constexpr std::array presetProperties{"prompt",    "negative-prompt", "model",      "duration", "aspect-ratio",
                                      "cfg-scale", "generate-audio",  "parameters", "timeout"};

gchar **propertyNames(GstPreset *) {
  gchar **names = g_new0(gchar *, presetProperties.size() + 1);
  for (size_t i = 0; i < presetProperties.size(); ++i)
    names[i] = g_strdup(presetProperties[i]);
  return names;
}

} // namespace

void initPresetInterface(GstPresetInterface *iface) {
  iface->get_property_names = propertyNames;
}

} // namespace aimlvideo
