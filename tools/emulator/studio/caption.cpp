// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/studio/caption.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include <pango/pangocairo.h>

namespace aimlvideo::emulator {

namespace {

using SurfacePtr = std::unique_ptr<cairo_surface_t, ReleasedBy<cairo_surface_destroy>>;
using ContextPtr = std::unique_ptr<cairo_t, ReleasedBy<cairo_destroy>>;
using FontPtr = std::unique_ptr<PangoFontDescription, ReleasedBy<pango_font_description_free>>;

constexpr int letterLuma = 225;
constexpr int bandLuma = 24;
constexpr int bandShare = 110; // of 256

GRefPtr<PangoLayout> layOut(cairo_t *context, const std::string &text, int fontSize, int maxWidth) {
  auto layout = adopt(pango_cairo_create_layout(context));
  FontPtr font(pango_font_description_from_string("Sans"));
  pango_font_description_set_absolute_size(font.get(), double(fontSize) * PANGO_SCALE);
  pango_layout_set_font_description(layout.get(), font.get());
  pango_layout_set_single_paragraph_mode(layout.get(), TRUE);
  pango_layout_set_text(layout.get(), text.c_str(), -1);
  int width = 0;
  pango_layout_get_pixel_size(layout.get(), &width, nullptr);
  if (width > maxWidth) {
    pango_layout_set_width(layout.get(), maxWidth * PANGO_SCALE);
    pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
  }
  return layout;
}

std::string timeCode(double seconds) {
  char text[32];
  const int tenths = static_cast<int>(std::floor(seconds * 10));
  std::snprintf(text, sizeof text, "%02d:%02d.%d", tenths / 600, tenths / 10 % 60, tenths % 10);
  return text;
}

uint8_t blend(int background, int value, int share, int of) {
  return static_cast<uint8_t>(background + (value - background) * share / of);
}

} // namespace

Caption::Caption(const std::string &text, int fontSize, int maxWidth) {
  SurfacePtr probe(cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1));
  ContextPtr probeContext(cairo_create(probe.get()));
  const int padding = fontSize / 2;
  int textWidth = 0, textHeight = 0;
  const int room = std::max(fontSize, maxWidth - 2 * padding);
  pango_layout_get_pixel_size(layOut(probeContext.get(), text, fontSize, room).get(), &textWidth, &textHeight);
  width_ = textWidth + 2 * padding;
  height_ = textHeight + padding / 2;
  SurfacePtr surface(cairo_image_surface_create(CAIRO_FORMAT_A8, width_, height_));
  ContextPtr context(cairo_create(surface.get()));
  cairo_move_to(context.get(), padding, padding / 4.0);
  pango_cairo_show_layout(context.get(), layOut(context.get(), text, fontSize, room).get());
  cairo_surface_flush(surface.get());
  letters_.resize(size_t(width_) * size_t(height_));
  const uint8_t *data = cairo_image_surface_get_data(surface.get());
  for (int y = 0; data && y < height_; ++y)
    std::copy_n(data + ptrdiff_t(y) * cairo_image_surface_get_stride(surface.get()), width_,
                letters_.begin() + ptrdiff_t(y) * width_);
}

void Caption::drawOn(const Canvas &canvas, int left, int top) const {
  for (int y = std::max(0, -top); y < height_ && top + y < canvas[0].height; ++y) {
    uint8_t *row = canvas[0].row(top + y);
    const uint8_t *letters = &letters_[size_t(y) * size_t(width_)];
    for (int x = std::max(0, -left); x < width_ && left + x < canvas[0].width; ++x) {
      const uint8_t band = blend(row[left + x], bandLuma, bandShare, 256);
      row[left + x] = blend(band, letterLuma, letters[x], 255);
    }
  }
  for (const size_t plane : {1, 2})
    for (int y = top / 2; y < (top + height_) / 2 && y < canvas[plane].height; ++y)
      for (int x = left / 2; x < (left + width_) / 2 && x < canvas[plane].width; ++x)
        if (x >= 0 && y >= 0) {
          uint8_t *chroma = canvas[plane].row(y) + x;
          *chroma = blend(*chroma, 128, bandShare, 256);
        }
}

Captions::Captions(const Look &look, Size size)
    : fontSize_(std::clamp(std::min(size.width, size.height) / 36, 8, 40)),
      prompt_(look.prompt, fontSize_, size.width - 6 * fontSize_),
      model_(look.model, fontSize_, size.width - 6 * fontSize_) {}

void Captions::drawOn(const Canvas &canvas, double seconds) const {
  const int margin = fontSize_;
  const int line = canvas[0].height - margin - model_.height();
  model_.drawOn(canvas, margin, line);
  prompt_.drawOn(canvas, margin, line - prompt_.height());
  Caption time(timeCode(seconds), fontSize_, canvas[0].width);
  time.drawOn(canvas, canvas[0].width - margin - time.width(), line);
}

} // namespace aimlvideo::emulator
