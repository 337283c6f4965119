// SPDX-License-Identifier: LGPL-2.1-or-later
#include "preset.h"

#include <aimlvideo/field.h>

namespace aimlvideo {

namespace {

gchar **propertyNames(GstPreset *) {
  gchar **names = g_new0(gchar *, fields().size() + 1);
  size_t count = 0;
  for (const Field &field : fields())
    if (field.is(Field::InPreset))
      names[count++] = g_strdup(field.name);
  return names;
}

} // namespace

void initPresetInterface(GstPresetInterface *iface) {
  iface->get_property_names = propertyNames;
}

} // namespace aimlvideo
