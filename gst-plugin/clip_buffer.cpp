// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip_buffer.h"

#include <algorithm>
#include <array>
#include <atomic>

namespace aimlvideo {

namespace {

/// Memory of large buffers, kept for the next ones of the process: the C library gives much of it back to the system,
/// which hands out each page anew.
class Blocks {
public:
  static constexpr gsize size = gsize{512} * 1024;

  static char *take() {
    for (std::atomic<char *> &place : spare)
      if (char *block = place.exchange(nullptr))
        return block;
    return new char[size];
  }

  static void giveBack(gpointer block) {
    auto *bytes = static_cast<char *>(block);
    for (std::atomic<char *> &place : spare)
      if (char *none = nullptr; place.compare_exchange_strong(none, bytes))
        return;
    delete[] bytes;
  }

private:
  /// A sink may keep the latest buffer. More of them rest in a queue, and come back one by one.
  static inline std::array<std::atomic<char *>, 2> spare{};
};

GstBuffer *newBuffer(gsize size) {
  // a small one would keep more memory than a queue counts
  if (size > Blocks::size || size < Blocks::size / 2)
    return gst_buffer_new_allocate(nullptr, size, nullptr);
  char *block = Blocks::take();
  return gst_buffer_new_wrapped_full(GstMemoryFlags{}, block, Blocks::size, 0, size, block, Blocks::giveBack);
}

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
  GstBuffer *buffer = given ? given : newBuffer(size);
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
