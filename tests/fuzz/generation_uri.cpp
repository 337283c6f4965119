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
    promise(wanted.error().kind == ErrorKind::BadRequest);
    promise(isReadable(wanted.error().text()));
    return 0;
  }
  for (const std::string &text : {wanted->model, wanted->prompt, wanted->negativePrompt, wanted->image,
                                  wanted->tailImage, wanted->aspectRatio, wanted->parameters})
    promise(isReadable(text));
  promise(!wanted->cfgScale || std::isfinite(*wanted->cfgScale));
  const std::string written = writeGenerationUri(*wanted);
  promise(isReadable(written) && isOneLine(written));
  const auto again = parseGenerationUri(written);
  promise(again && *again == *wanted);
  promise(writeGenerationUri(*again) == written);
  return 0;
}
