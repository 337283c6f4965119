// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

#include <aimlvideo/error.h>

#include "properties.h"

namespace aimlvideo {

/// The schemes that aimlvideosrc plays. Owned by the library.
const gchar *const *uriProtocols();

/// Makes the settings ask for what a URI asks for.
Result<void> setUri(ElementSettings &settings, const char *uri);

/// An error as GStreamer's URI handlers tell it.
void setUriError(GError **target, GstURIError code, const Error &error);

} // namespace aimlvideo
