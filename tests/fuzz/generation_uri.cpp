// SPDX-License-Identifier: LGPL-2.1-or-later
// An aimlvideo:// URI, which anyone can write into a playlist.
#include "api/generation_uri.h"

#include <cmath>

#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const auto wanted = parseGenerationUri(textOf(data, size));
  if (!wanted) {
    must_hold(wanted.error().kind == ErrorKind::BadRequest);
    must_hold(isReadable(wanted.error().text()));
    return 0;
  }
  for (const std::string &text : {wanted->model, wanted->prompt, wanted->negativePrompt, wanted->image,
                                  wanted->tailImage, wanted->aspectRatio, wanted->parameters})
    must_hold(isReadable(text));
  must_hold(!wanted->cfgScale || std::isfinite(*wanted->cfgScale));
  const std::string written = writeGenerationUri(*wanted);
  must_hold(isReadable(written) && isOneLine(written));
  const auto again = parseGenerationUri(written);
  must_hold(again && *again == *wanted);
  must_hold(writeGenerationUri(*again) == written);
  return 0;
}
