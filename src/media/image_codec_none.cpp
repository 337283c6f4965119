// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/image_codec.h"

namespace aimlvideo {

bool ImageCodec::available() {
  return false;
}

std::optional<ImageFacts> ImageCodec::inspect(std::string_view) {
  return {};
}

tl::expected<std::string, std::string> ImageCodec::render(std::string_view, int, int, ImageFormat) {
  return tl::unexpected(std::string("gst-aimlvideo was built without gdk-pixbuf, which changes images"));
}

} // namespace aimlvideo
