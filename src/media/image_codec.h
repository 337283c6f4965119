// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace aimlvideo {

/// What can be seen of an image without decoding it.
struct ImageFacts {
  int width = 0; ///< as it is to be seen, after its orientation is applied
  int height = 0;
  bool turned = false; ///< it is stored lying on its side, upside down or mirrored, and a tag says so
  /// It has more pixels than are decoded here, so that nothing but its size, as it is stored, was looked at.
  bool tooLarge = false;
};

enum class ImageFormat { Jpeg, Png };

/// Reads and writes images: gdk-pixbuf, where the library is built with it. For any thread.
class ImageCodec {
public:
  /// Larger images are not decoded, however few bytes they have: a progressive JPEG takes up to twelve bytes of memory
  /// a pixel, and its time for each of its scans. It is more than the largest of cameras' usual 50 and 64 megapixels.
  static constexpr int64_t mostPixels = int64_t{8192} * 8192;

  static bool available();

  /// Empty: there is no codec for it, or it is broken.
  static std::optional<ImageFacts> inspect(std::string_view bytes);

  /// Decodes, turns upright, scales to the given size and encodes: JPEG with quality 92 and transparency on white, or
  /// PNG. The error is a sentence.
  static tl::expected<std::string, std::string> render(std::string_view bytes, int width, int height,
                                                       ImageFormat format);
};

} // namespace aimlvideo
