// SPDX-License-Identifier: LGPL-2.1-or-later
// Data URIs: the engine's own reading of them, and where it is built the emulator's.
#include "api/canonical.h"
#include "api/media.h"
#include "fuzz.h"
#include "media/image_reference.h"
#ifdef WITH_EMULATOR
#include "emulator/wire/media.h"
#endif

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string uri = "data:" + std::string(textOf(data, size));
  if (uri.find('\0') != std::string::npos)
    return 0; // it comes as a C string
  must_hold(isDataUri(uri) && !isLocalFile(uri));
  const std::string identity = identityOfCarried(uri);
  must_hold(identity == uri || identity.size() == std::string_view("sha256:").size() + 64);

  const auto media = resolveImage(uri, "image");
  if (!media)
    return 0;
  must_hold(isMediaUri(uri) && isDataUri(media->carried));
  must_hold(media->identity == identity); // given by hand or in `parameters` it is the same purchase
#ifdef WITH_EMULATOR
  const auto seen = emulator::readMediaReference("image_url", media->carried);
  must_hold(seen.has_value());
  if (media->carried == uri)
    must_hold("sha256:" + seen->sha256 == media->identity);
#endif
  return 0;
}
