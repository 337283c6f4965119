// SPDX-License-Identifier: LGPL-2.1-or-later
// What a user, a script or a document gives as an image: a path or a URI of any scheme.
#include "media/image_reference.h"

#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string reference(textOf(data, size));
  if (reference.empty() || reference.find('\0') != std::string::npos)
    return 0; // there is none, or it comes as a C string
  // the file of that name is another target's business
  if (isLocalFile(reference)) {
    const auto path = pathIn(reference, "image");
    must_hold(path ? path->find('\0') == std::string::npos : !path.error().text().empty());
    if (path && reference.size() > 5 && g_ascii_strncasecmp(reference.c_str(), "file:", 5) == 0)
      must_hold(path->starts_with('/'));
    must_hold(!isMediaUri(reference));
    return 0;
  }
  const auto media = resolveImage(reference, "image");
  if (!media) {
    must_hold(media.error().kind == ErrorKind::BadRequest && !media.error().remedy.empty());
    return 0;
  }
  // passed on byte for byte, and the check of the request's body agrees
  must_hold(media->carried == reference);
  must_hold(isMediaUri(reference));
  return 0;
}
