// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/studio/picture.h"

#include <algorithm>
#include <memory>

#include <gst/app/app.h>
#include <gst/gst.h>
#include <gst/video/video.h>

namespace aimlvideo::emulator {

namespace {

constexpr GstClockTime decodeDeadline = 30 * GST_SECOND;
constexpr int largestSide = 16384;

using SamplePtr = std::unique_ptr<GstSample, ReleasedBy<gst_sample_unref>>;
using ConverterPtr = std::unique_ptr<GstVideoConverter, ReleasedBy<gst_video_converter_free>>;

const char *decoderFor(std::string_view type) {
  if (type == "image/png")
    return "pngdec";
  if (type == "image/jpeg")
    return "jpegdec";
  return type == "image/webp" ? "webpdec" : nullptr;
}

void copyPlanes(GstVideoFrame &frame, const Canvas &to) {
  for (unsigned i = 0; i < 3; ++i) {
    auto *from = static_cast<const uint8_t *>(GST_VIDEO_FRAME_PLANE_DATA(&frame, i));
    for (int y = 0; y < to[i].height; ++y)
      std::copy_n(from + ptrdiff_t(y) * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, i), to[i].width, to[i].row(y));
  }
}

tl::expected<Picture, std::string> readSample(GstSample *sample) {
  GstVideoInfo info;
  GstVideoFrame frame;
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
      !gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ))
    return tl::unexpected<std::string>("the decoded picture cannot be read");
  Picture picture(GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info));
  copyPlanes(frame, picture.canvas());
  gst_video_frame_unmap(&frame);
  return picture;
}

/// A writable frame over the planes, for the converter.
void wrap(GstVideoFrame &frame, const Canvas &planes) {
  gst_video_info_set_format(&frame.info, GST_VIDEO_FORMAT_I420, guint(planes[0].width), guint(planes[0].height));
  // By default the matrix follows the size; here both sides have the same.
  gst_video_colorimetry_from_string(&frame.info.colorimetry, GST_VIDEO_COLORIMETRY_BT709);
  for (unsigned i = 0; i < 3; ++i) {
    frame.data[i] = planes[i].data;
    frame.info.stride[i] = planes[i].stride;
  }
}

/// Sends one buffer through `elements` and returns what comes out; nothing if they fail.
SamplePtr convert(GstBuffer *buffer, GstCaps *caps, const std::string &elements) {
  const std::string description = "appsrc name=in format=time ! " + elements + " ! appsink name=out sync=false";
  GstElement *parsed = gst_parse_launch(description.c_str(), nullptr);
  const auto pipeline = adopt(GST_ELEMENT(gst_object_ref_sink(parsed)));
  const auto in = adopt(gst_bin_get_by_name(GST_BIN(parsed), "in"));
  const auto out = adopt(gst_bin_get_by_name(GST_BIN(parsed), "out"));
  g_object_set(in.get(), "caps", caps, nullptr);
  gst_caps_unref(caps);
  gst_element_set_state(parsed, GST_STATE_PLAYING);
  gst_app_src_push_buffer(GST_APP_SRC(in.get()), buffer);
  gst_app_src_end_of_stream(GST_APP_SRC(in.get()));
  SamplePtr sample(gst_app_sink_try_pull_sample(GST_APP_SINK(out.get()), decodeDeadline));
  gst_element_set_state(parsed, GST_STATE_NULL);
  return sample;
}

} // namespace

Picture::Picture(int width, int height) : width_(width), height_(height) {
  const auto luma = size_t(width) * size_t(height);
  const auto chroma = size_t((width + 1) / 2) * size_t((height + 1) / 2);
  planes_ = {std::vector<uint8_t>(luma), std::vector<uint8_t>(chroma), std::vector<uint8_t>(chroma)};
}

Canvas Picture::canvas() const {
  const int halfWidth = (width_ + 1) / 2, halfHeight = (height_ + 1) / 2;
  return {Plane{planes_[0].data(), width_, width_, height_}, Plane{planes_[1].data(), halfWidth, halfWidth, halfHeight},
          Plane{planes_[2].data(), halfWidth, halfWidth, halfHeight}};
}

tl::expected<Picture, std::string> decodePicture(const Bytes &encoded) {
  const std::string type = imageTypeOf(encoded.view());
  const char *decoder = decoderFor(type);
  if (!decoder)
    return tl::unexpected<std::string>("the image is not a PNG, JPEG or WebP file");
  SamplePtr sample = convert(gst_buffer_new_wrapped_bytes(encoded.get()), gst_caps_new_empty_simple(type.c_str()),
                             std::string(decoder) + " ! videoconvert ! video/x-raw,format=I420,colorimetry=bt709");
  if (!sample)
    return tl::unexpected<std::string>("the image is damaged");
  auto picture = readSample(sample.get());
  if (picture && std::max(picture->width(), picture->height()) > largestSide)
    return tl::unexpected<std::string>("the image is too large");
  return picture;
}

Bytes encodeJpeg(const Picture &picture) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, guint(picture.width()), guint(picture.height()));
  GstBuffer *buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info), nullptr);
  GstVideoFrame frame;
  if (gst_video_frame_map(&frame, &info, buffer, GST_MAP_WRITE)) {
    Canvas planes = picture.canvas();
    for (unsigned i = 0; i < planes.size(); ++i)
      for (int y = 0; y < planes[i].height; ++y)
        std::copy_n(planes[i].row(y), planes[i].width,
                    static_cast<uint8_t *>(GST_VIDEO_FRAME_PLANE_DATA(&frame, i)) +
                        ptrdiff_t(y) * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, i));
    gst_video_frame_unmap(&frame);
  }
  SamplePtr sample = convert(buffer, gst_video_info_to_caps(&info), "jpegenc");
  GstMapInfo map;
  if (!sample || !gst_buffer_map(gst_sample_get_buffer(sample.get()), &map, GST_MAP_READ))
    return {};
  Bytes encoded(std::string_view(reinterpret_cast<const char *>(map.data), map.size));
  gst_buffer_unmap(gst_sample_get_buffer(sample.get()), &map);
  return encoded;
}

Picture fill(const Picture &picture, Size size) {
  const double wanted = double(size.width) / size.height;
  int width = picture.width(), height = picture.height();
  if (picture.aspect() > wanted)
    width = std::max(1, static_cast<int>(height * wanted));
  else
    height = std::max(1, static_cast<int>(width / wanted));
  Picture filled(size.width, size.height);
  GstVideoFrame from = {}, to = {};
  wrap(from, picture.canvas());
  wrap(to, filled.canvas());
  GstStructure *options = gst_structure_new(
      "options", GST_VIDEO_CONVERTER_OPT_SRC_X, G_TYPE_INT, (picture.width() - width) / 2,
      GST_VIDEO_CONVERTER_OPT_SRC_Y, G_TYPE_INT, (picture.height() - height) / 2, GST_VIDEO_CONVERTER_OPT_SRC_WIDTH,
      G_TYPE_INT, width, GST_VIDEO_CONVERTER_OPT_SRC_HEIGHT, G_TYPE_INT, height, nullptr);
  ConverterPtr converter(gst_video_converter_new(&from.info, &to.info, options));
  if (converter)
    gst_video_converter_frame(converter.get(), &from, &to);
  return filled;
}

} // namespace aimlvideo::emulator
