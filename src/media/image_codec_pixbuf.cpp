// SPDX-License-Identifier: LGPL-2.1-or-later
#include "media/image_codec.h"

#include <algorithm>
#include <cstdint>

#include <gdk-pixbuf/gdk-pixbuf.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

namespace {

constexpr auto jpegQuality = "92";
constexpr guint32 white = 0xffffff;

/// Decodes step by step, so that an image that is only to be looked at need not be decoded.
class Decoder {
public:
  Decoder() : loader_(adopt(gdk_pixbuf_loader_new())) {
    g_signal_connect(loader_.get(), "size-prepared", G_CALLBACK(sizePrepared), this);
    g_signal_connect(loader_.get(), "area-prepared", G_CALLBACK(areaPrepared), this);
  }
  Decoder(const Decoder &) = delete;
  Decoder &operator=(const Decoder &) = delete;
  ~Decoder() {
    if (!closed_)
      gdk_pixbuf_loader_close(loader_.get(), nullptr); // the rest was not wanted
  }

  /// False: it can't be decoded, and `error` says why.
  bool readHead(std::string_view bytes, GErrorSlot &error) {
    constexpr size_t step = 16 << 10;
    for (size_t at = 0; at < bytes.size() && !headRead_; at += step)
      if (!write(bytes.substr(at, step), error))
        return false;
    // a file of less than 4 KB is looked at when it is whole
    return headRead_ || (close(error) && headRead_);
  }

  GRefPtr<GdkPixbuf> readAll(std::string_view bytes, GErrorSlot &error) {
    if (!write(bytes, error))
      return nullptr;
    if (!close(error))
      return nullptr;
    return share(gdk_pixbuf_loader_get_pixbuf(loader_.get()));
  }

  bool tooLarge() const { return tooLarge_; }
  int width() const { return width_; }
  int height() const { return height_; }
  /// 1 to 8, as EXIF counts them; 1: upright.
  int orientation() const { return orientation_; }

private:
  bool close(GErrorSlot &error) {
    closed_ = true;
    return gdk_pixbuf_loader_close(loader_.get(), &error);
  }

  bool write(std::string_view bytes, GErrorSlot &error) {
    const bool taken =
        gdk_pixbuf_loader_write(loader_.get(), reinterpret_cast<const guchar *>(bytes.data()), bytes.size(), &error);
    if (!taken) { // the loader has closed itself
      closed_ = true;
      gdk_pixbuf_loader_close(loader_.get(), nullptr);
    }
    return taken;
  }

  static void sizePrepared(GdkPixbufLoader *loader, int width, int height, gpointer self) {
    auto *decoder = static_cast<Decoder *>(self);
    decoder->width_ = width;
    decoder->height_ = height;
    decoder->tooLarge_ = static_cast<int64_t>(width) * height > ImageCodec::mostPixels;
    if (decoder->tooLarge_)
      gdk_pixbuf_loader_set_size(loader, 0, 0); // stops it
  }

  static void areaPrepared(GdkPixbufLoader *loader, gpointer self) {
    auto *decoder = static_cast<Decoder *>(self);
    const char *orientation = gdk_pixbuf_get_option(gdk_pixbuf_loader_get_pixbuf(loader), "orientation");
    decoder->orientation_ = orientation ? static_cast<int>(g_ascii_strtoll(orientation, nullptr, 10)) : 1;
    decoder->headRead_ = true;
  }

  GRefPtr<GdkPixbufLoader> loader_;
  bool closed_ = false;
  bool headRead_ = false;
  bool tooLarge_ = false;
  int width_ = 0;
  int height_ = 0;
  int orientation_ = 1;
};

tl::expected<std::string, std::string> encode(GdkPixbuf *image, ImageFormat format) {
  GErrorSlot error;
  char *buffer = nullptr;
  gsize size = 0;
  const bool saved =
      format == ImageFormat::Jpeg
          ? gdk_pixbuf_save_to_buffer(image, &buffer, &size, "jpeg", &error, "quality", jpegQuality, nullptr)
          : gdk_pixbuf_save_to_buffer(image, &buffer, &size, "png", &error, nullptr);
  if (!saved)
    return tl::unexpected(std::string(error.message()));
  const GCharPtr owned(buffer);
  return std::string(buffer, size);
}

} // namespace

bool ImageCodec::available() {
  return true;
}

std::optional<ImageFacts> ImageCodec::inspect(std::string_view bytes) {
  Decoder decoder;
  GErrorSlot error;
  const bool read = decoder.readHead(bytes, error);
  if (decoder.tooLarge())
    return ImageFacts{decoder.width(), decoder.height(), false, true};
  if (!read)
    return {};
  ImageFacts facts{decoder.width(), decoder.height(), decoder.orientation() > 1, false};
  if (decoder.orientation() >= 5) // these stand on their side
    std::swap(facts.width, facts.height);
  return facts;
}

tl::expected<std::string, std::string> ImageCodec::render(std::string_view bytes, int width, int height,
                                                          ImageFormat format) {
  Decoder decoder;
  GErrorSlot error;
  const auto stored = decoder.readAll(bytes, error);
  if (decoder.tooLarge())
    return tl::unexpected(std::string("it has too many pixels"));
  if (!stored)
    return tl::unexpected(std::string(error.message()));
  auto image = adopt(gdk_pixbuf_apply_embedded_orientation(stored.get()));
  if (image && format == ImageFormat::Jpeg && gdk_pixbuf_get_has_alpha(image.get()))
    image =
        adopt(gdk_pixbuf_composite_color_simple(image.get(), width, height, GDK_INTERP_BILINEAR, 255, 8, white, white));
  else if (image && (gdk_pixbuf_get_width(image.get()) != width || gdk_pixbuf_get_height(image.get()) != height))
    image = adopt(gdk_pixbuf_scale_simple(image.get(), width, height, GDK_INTERP_BILINEAR));
  if (!image)
    return tl::unexpected(std::string("there is not enough memory"));
  return encode(image.get(), format);
}

} // namespace aimlvideo
