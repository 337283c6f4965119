// SPDX-License-Identifier: LGPL-2.1-or-later
#include "uri_handler.h"

#include <aimlvideo/generation_uri.h>

namespace aimlvideo {

const gchar *const *uriProtocols() {
  static const gchar *const protocols[] = {generationUriScheme, nullptr};
  return protocols;
}

Result<void> setUri(ElementSettings &settings, const char *uri) {
  const auto wanted = parseGenerationUri(uri);
  if (!wanted)
    return tl::unexpected(wanted.error());
  takeOver(*wanted, settings);
  settings.uriAsSet = uri;
  return {};
}

void setUriError(GError **target, GstURIError code, const Error &error) {
  g_set_error_literal(target, GST_URI_ERROR, code, error.text().c_str());
}

} // namespace aimlvideo
