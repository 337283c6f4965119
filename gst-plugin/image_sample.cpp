// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image_sample.h"

#include <memory>

#include <gst/video/video.h>

#include <aimlvideo/glib_ptr.h>
#include <aimlvideo/settings.h>

namespace aimlvideo {

namespace {

using SamplePtr = std::shared_ptr<GstSample>;

SamplePtr keep(GstSample *sample) {
  return {sample, [](GstSample *owned) {
            gst_sample_unref(owned);
          }};
}

Failure refuse(const std::string &why) {
  return failure(ErrorKind::BadRequest, "image-sample can't be used", why,
                 "Give a sample with one image/jpeg, image/png or image/webp picture or one frame of raw video");
}

std::string bytesIn(GstBuffer *buffer) {
  std::string bytes(gst_buffer_get_size(buffer), '\0');
  bytes.resize(gst_buffer_extract(buffer, 0, bytes.data(), bytes.size()));
  return bytes;
}

/// A frame of raw video as PNG. Its identity is that of its pixels, which no encoder changes.
Result<GivenImage> encode(GstSample *sample, const GstCaps *caps, GstBuffer *buffer) {
  constexpr GstClockTime patience = 30 * GST_SECOND;
  GstCaps *wanted = gst_caps_new_empty_simple("image/png");
  GErrorSlot error;
  GstSample *converted = gst_video_convert_sample(sample, wanted, patience, &error);
  gst_caps_unref(wanted);
  if (!converted)
    return refuse(std::string("the frame can't be made a PNG: ") + error.message());
  const SamplePtr owned = keep(converted);
  const GCharPtr format(gst_caps_to_string(caps));
  return GivenImage{bytesIn(gst_sample_get_buffer(converted)), identityOf(format.get() + ("\n" + bytesIn(buffer)))};
}

Result<GivenImage> imageIn(GstSample *sample) {
  const GstCaps *caps = gst_sample_get_caps(sample);
  GstBuffer *buffer = gst_sample_get_buffer(sample);
  if (!buffer || gst_buffer_get_size(buffer) == 0)
    return refuse("it contains no data");
  if (!caps || gst_caps_is_empty(caps) || gst_caps_is_any(caps))
    return refuse("it has no caps");
  const std::string name = gst_structure_get_name(gst_caps_get_structure(caps, 0));
  if (name == "video/x-raw")
    return encode(sample, caps, buffer);
  if (!name.starts_with("image/"))
    return refuse("it contains " + name);
  std::string bytes = bytesIn(buffer);
  std::string identity = identityOf(bytes);
  return GivenImage{std::move(bytes), std::move(identity)};
}

} // namespace

std::function<Result<GivenImage>()> imageSourceFor(GstSample *sample) {
  if (!sample)
    return {};
  return [kept = keep(gst_sample_ref(sample))] {
    return imageIn(kept.get());
  };
}

} // namespace aimlvideo
