// SPDX-License-Identifier: LGPL-2.1-or-later
// The contents of an image, a video or a sound file: the first two bytes choose what the model takes.
#include "fuzz.h"
#include "media/image_codec.h"
#include "media/image_preparer.h"
#include "media/media_reference.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

namespace {

/// Larger ones are left out for their time, not for their memory.
constexpr int64_t mostPixels = 1 << 20;

ImageLimits limitsFrom(uint8_t first, uint8_t second) {
  ImageLimits limits;
  if (first & 1)
    limits.types = {"image/jpeg", "image/png"};
  if (first & 2)
    limits.types = {"image/webp"};
  if (first & 4)
    limits.maximumBytes = 64 + 16 * second;
  if (first & 8)
    limits.maximumLongSide = 1 + second;
  if (first & 16)
    limits.minimumShortSide = 1 + second / 16;
  if (first & 32) {
    limits.minimumAspect = 0.4;
    limits.maximumAspect = 2.5;
  }
  return limits;
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view bytes = textOf(data, size);
  const auto first = cutNumber<uint8_t>(bytes);
  const auto second = cutNumber<uint8_t>(bytes);
  const auto type = imageTypeOf(bytes);
  must_hold(!type || mediaTypeOf(bytes) == type);
  if (!type)
    return 0;
  const auto facts = ImageCodec::inspect(bytes);
  if (facts) {
    must_hold(facts->width > 0 && facts->height > 0);
    if (static_cast<int64_t>(facts->width) * facts->height > mostPixels)
      return 0;
  }
  const ImageLimits limits = limitsFrom(first, second);
  const auto prepared = prepareImage(std::string(bytes), *type, limits, "image");
  if (!prepared) {
    must_hold(isReadable(prepared.error().text()) && !prepared.error().why.empty());
    return 0;
  }
  must_hold(imageTypeOf(prepared->bytes) == prepared->type);
  must_hold(!limits.maximumBytes || prepared->bytes.size() <= *limits.maximumBytes);
  must_hold(isReadable(prepared->note));
  if (prepared->bytes == bytes)
    return 0;
  const auto after = ImageCodec::inspect(prepared->bytes);
  must_hold(after && !after->turned);
  must_hold(!limits.maximumLongSide ||
            static_cast<unsigned>(std::max(after->width, after->height)) <= *limits.maximumLongSide);
  return 0;
}
