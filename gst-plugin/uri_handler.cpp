// SPDX-License-Identifier: LGPL-2.1-or-later
#include "uri_handler.h"

#include <aimlvideo/uri.h>

namespace aimlvideo {

const gchar *const *uriProtocols() {
  static const gchar *const protocols[] = {uriScheme, nullptr};
  return protocols;
}

Result<void> setUri(ElementSettings &settings, const char *uri) {
  if (auto taken = takeUri(uri, settings); !taken)
    return taken;
  settings.uriAsSet = uri;
  return {};
}

void setUriError(GError **target, GstURIError code, const Error &error) {
  g_set_error_literal(target, GST_URI_ERROR, code, error.text().c_str());
}

} // namespace aimlvideo
