// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

namespace aimlvideo {

/// Makes presets hold what is to be made and nothing else: no key, no header, no address and no path of this machine
/// gets into one, or out of one that somebody else wrote.
void initPresetInterface(GstPresetInterface *iface);

} // namespace aimlvideo
