// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip_buffer.h"

#include <algorithm>

namespace aimlvideo {

namespace {

Result<gsize> fill(const Spool &clip, guint64 offset, gsize size, GstBuffer *buffer) {
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_WRITE))
    return failure(ErrorKind::NoSpace, "no memory for a buffer", "", "Close other programs");
  auto count = clip.read(offset, map.data, std::min<gsize>(size, map.size));
  gst_buffer_unmap(buffer, &map);
  if (count)
    gst_buffer_resize(buffer, 0, static_cast<gssize>(*count));
  return count;
}

} // namespace

Result<GstBuffer *> bufferFrom(const Spool &clip, guint64 offset, gsize size, GstBuffer *given) {
  GstBuffer *buffer = given ? given : gst_buffer_new_allocate(nullptr, size, nullptr);
  const auto count = fill(clip, offset, size, buffer);
  if (!count) {
    if (!given)
      gst_buffer_unref(buffer);
    return tl::unexpected(count.error());
  }
  GST_BUFFER_OFFSET(buffer) = offset;
  GST_BUFFER_OFFSET_END(buffer) = offset + gst_buffer_get_size(buffer);
  return buffer;
}

} // namespace aimlvideo
