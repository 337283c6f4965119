// SPDX-License-Identifier: LGPL-2.1-or-later
// An aimlvideo:// URI, which anyone can write into a playlist.
#include <aimlvideo/field.h>
#include <aimlvideo/uri.h>

#include <cmath>

#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Settings wanted;
  const auto taken = takeUri(textOf(data, size), wanted);
  if (!taken) {
    must_hold(taken.error().kind == ErrorKind::BadRequest);
    must_hold(isReadable(taken.error().text()));
    return 0;
  }
  must_hold(isReadable(wanted.model));
  must_hold(std::isfinite(wanted.cfgScale));
  const std::string written = uriFor(wanted);
  must_hold(isReadable(written) && isOneLine(written));
  Settings again;
  must_hold(takeUri(written, again).has_value());
  for (const Field &field : fields()) {
    const std::string text = aimlvideo::textOf(wanted, field);
    must_hold(isReadable(text) && aimlvideo::textOf(again, field) == text);
  }
  must_hold(uriFor(again) == written);
  return 0;
}
