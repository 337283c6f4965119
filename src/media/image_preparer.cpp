// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/image_preparer.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/glib_ptr.h"
#include "media/image_codec.h"

namespace aimlvideo {

namespace {

constexpr auto jpeg = "image/jpeg";
constexpr auto png = "image/png";

std::string sizeText(uint64_t bytes) {
  const GCharPtr text(g_format_size(bytes));
  return text.get();
}

std::string shapeText(int width, int height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

/// `image/jpeg` reads `JPEG`.
std::string nameOf(const std::string &type) {
  const GCharPtr upper(g_ascii_strup(type.substr(type.find('/') + 1).c_str(), -1));
  return upper.get();
}

std::string plain(double value) {
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(buffer, sizeof buffer, "%.3g", value);
}

class Preparer {
public:
  Preparer(std::string bytes, const std::string &type, const ImageLimits &limits, const std::string &property)
      : limits_(limits), property_(property), originalType_(type), facts_(ImageCodec::inspect(bytes)) {
    result_.bytes = std::move(bytes);
    result_.type = type;
  }

  Result<PreparedImage> run() {
    if (const auto fits = checkShape(); !fits)
      return tl::unexpected(fits.error());
    if (!facts_ && reasons().empty())
      return std::move(result_); // nothing is known that speaks against it
    if (reasons().empty()) {
      result_.note = advice();
      return std::move(result_);
    }
    if (!facts_)
      return refuse("it must be changed, since " + reasons() + ", and " + whyUnreadable(),
                    "Change the image with another program");
    return change();
  }

private:
  Failure refuse(const std::string &why, const std::string &remedy) const {
    return failure(ErrorKind::BadRequest, property_ + " can't be used with this model", why,
                   remedy + "; nothing was sent");
  }

  static std::string whyUnreadable() {
    return ImageCodec::available() ? "gdk-pixbuf has no loader for it, or it is broken"
                                   : "gst-aimlvideo was built without gdk-pixbuf, which does that";
  }

  /// What no change can fix.
  Result<void> checkShape() const {
    if (!facts_)
      return {};
    const std::string shape = "it has " + shapeText(facts_->width, facts_->height) + " pixels";
    if (facts_->tooLarge)
      return refuse(shape + ", more than the " + std::to_string(ImageCodec::mostPixels / 1'000'000) +
                        " megapixels (8192x8192) that an image may have",
                    "Shrink it with another program");
    const auto shortSide = static_cast<unsigned>(std::min(facts_->width, facts_->height));
    const double aspect = static_cast<double>(facts_->width) / facts_->height;
    if (limits_.minimumShortSide && shortSide < *limits_.minimumShortSide)
      return refuse(shape + ", the model wants at least " + std::to_string(*limits_.minimumShortSide) + " on each side",
                    "Give a larger image");
    if ((limits_.minimumAspect && aspect < *limits_.minimumAspect) ||
        (limits_.maximumAspect && aspect > *limits_.maximumAspect))
      return refuse(shape + ", " + plain(aspect) + " times as wide as high, the model wants " +
                        plain(limits_.minimumAspect.value_or(0)) + " to " + plain(limits_.maximumAspect.value_or(0)),
                    "Crop the image");
    return {};
  }

  bool typeFits(const std::string &type) const {
    return limits_.types.empty() || std::find(limits_.types.begin(), limits_.types.end(), type) != limits_.types.end();
  }

  double scaleForPixels() const {
    const int longSide = std::max(facts_->width, facts_->height);
    return limits_.maximumLongSide && static_cast<unsigned>(longSide) > *limits_.maximumLongSide
               ? static_cast<double>(*limits_.maximumLongSide) / longSide
               : 1;
  }

  /// Why the image has to be changed; empty: it need not.
  std::string reasons() const {
    std::string text;
    const auto add = [&](const std::string &reason) {
      text += (text.empty() ? "" : " and ") + reason;
    };
    if (!typeFits(originalType_))
      add("the model takes no " + nameOf(originalType_));
    if (limits_.maximumBytes && result_.bytes.size() > *limits_.maximumBytes)
      add("the model takes at most " + sizeText(*limits_.maximumBytes));
    if (facts_ && scaleForPixels() < 1)
      add("the model takes at most " + std::to_string(*limits_.maximumLongSide) + " pixels on the long side");
    if (facts_ && facts_->turned)
      add("it is stored rotated");
    return text;
  }

  std::string advice() const {
    if (!facts_ || !limits_.advisedShortSide ||
        static_cast<unsigned>(std::min(facts_->width, facts_->height)) >= *limits_.advisedShortSide)
      return "";
    return property_ + " has " + shapeText(facts_->width, facts_->height) +
           " pixels, the model's documentation asks for " + std::to_string(*limits_.advisedShortSide) +
           " or more on each side";
  }

  Result<PreparedImage> change() {
    const std::string why = reasons();
    const size_t before = result_.bytes.size();
    double scale = scaleForPixels();
    // transparency survives where it can
    bool asJpeg = originalType_ != png || !typeFits(png);
    std::string encoded;
    for (;;) {
      const int width = scaled(facts_->width, scale);
      const int height = scaled(facts_->height, scale);
      if (limits_.minimumShortSide && static_cast<unsigned>(std::min(width, height)) < *limits_.minimumShortSide)
        return refuse("shrunk to the model's limits it would have fewer than " +
                          std::to_string(*limits_.minimumShortSide) + " pixels on a side",
                      "Crop the image");
      auto rendered = ImageCodec::render(result_.bytes, width, height, asJpeg ? ImageFormat::Jpeg : ImageFormat::Png);
      if (!rendered)
        return refuse("it can't be decoded: " + rendered.error(), "Check the file");
      encoded = std::move(*rendered);
      if (!limits_.maximumBytes || encoded.size() <= *limits_.maximumBytes) {
        result_.note = property_ + " is sent as a " + shapeText(width, height) + " " + (asJpeg ? "JPEG" : "PNG") +
                       " of " + sizeText(encoded.size()) + " instead of a " + shapeText(facts_->width, facts_->height) +
                       " " + nameOf(originalType_) + " of " + sizeText(before) + ", since " + why;
        break;
      }
      if (asJpeg && width == 1 && height == 1)
        return refuse("no JPEG of it is small enough for the model", "Give another image");
      if (asJpeg) // the size of a JPEG goes with its area, roughly
        scale *= std::clamp(
            std::sqrt(static_cast<double>(*limits_.maximumBytes) / static_cast<double>(encoded.size())) * 0.95, 0.25,
            0.9);
      asJpeg = true;
    }
    result_.bytes = std::move(encoded);
    result_.type = asJpeg ? jpeg : png;
    return std::move(result_);
  }

  static int scaled(int length, double scale) {
    return std::max(1, static_cast<int>(std::floor(length * scale + 0.5)));
  }

  const ImageLimits &limits_;
  const std::string &property_;
  const std::string originalType_;
  const std::optional<ImageFacts> facts_;
  PreparedImage result_;
};

} // namespace

Result<PreparedImage> prepareImage(std::string bytes, const std::string &type, const ImageLimits &limits,
                                   const std::string &property) {
  return Preparer(std::move(bytes), type, limits, property).run();
}

} // namespace aimlvideo
