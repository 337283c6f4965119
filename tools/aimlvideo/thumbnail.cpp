// SPDX-License-Identifier: LGPL-2.1-or-later
#include "thumbnail.h"

#include <atomic>
#include <thread>

#include <gst/gst.h>

#include "provenance.h"

namespace aimlvideo::cli {

namespace {

constexpr GstClockTime patience = 20 * GST_SECOND;

std::string bytesOf(GstSample *sample) {
  std::string bytes;
  GstMapInfo map;
  GstBuffer *buffer = sample ? gst_sample_get_buffer(sample) : nullptr;
  if (buffer && gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    bytes.assign(reinterpret_cast<const char *>(map.data), map.size);
    gst_buffer_unmap(buffer, &map);
  }
  return bytes;
}

Thumbnail thumbnailOf(const std::string &path) {
  // a stream is shown by its first segment
  const bool isFolder = g_file_test(path.c_str(), G_FILE_TEST_IS_DIR);
  const std::string file = isFolder ? path + "/segment00000.ts" : path;
  if (!g_file_test(file.c_str(), G_FILE_TEST_IS_REGULAR))
    return {};
  GstElement *pipeline = gst_parse_launch(
      "filesrc name=file ! decodebin ! videoconvert ! videoscale ! "
      "video/x-raw,width=[2,400],height=[2,400],pixel-aspect-ratio=1/1 ! jpegenc quality=75 ! fakesink name=sink",
      nullptr);
  GstElement *source = pipeline ? gst_bin_get_by_name(GST_BIN(pipeline), "file") : nullptr;
  GstElement *sink = pipeline ? gst_bin_get_by_name(GST_BIN(pipeline), "sink") : nullptr;
  Thumbnail thumbnail;
  if (source && sink) {
    g_object_set(source, "location", file.c_str(), nullptr);
    gst_element_set_state(pipeline, GST_STATE_PAUSED);
    if (gst_element_get_state(pipeline, nullptr, nullptr, patience) == GST_STATE_CHANGE_SUCCESS) {
      GstSample *sample = nullptr;
      g_object_get(sink, "last-sample", &sample, nullptr);
      thumbnail.jpeg = bytesOf(sample);
      g_clear_pointer(&sample, gst_sample_unref);
      gint64 length = 0;
      if (!isFolder && gst_element_query_duration(pipeline, GST_FORMAT_TIME, &length) && length > 0)
        thumbnail.seconds = static_cast<double>(length) / GST_SECOND;
    }
    gst_element_set_state(pipeline, GST_STATE_NULL);
  }
  gst_clear_object(&source);
  gst_clear_object(&sink);
  gst_clear_object(&pipeline);
  return thumbnail;
}

} // namespace

std::vector<Thumbnail> thumbnailsOf(const std::vector<std::string> &paths) {
  gst_init(nullptr, nullptr);
  std::vector<Thumbnail> thumbnails(paths.size());
  std::atomic<size_t> next = 0;
  std::vector<std::jthread> threads;
  threads.reserve(g_get_num_processors());
  for (guint i = 0; i < g_get_num_processors(); ++i)
    threads.emplace_back([&] {
      for (size_t index = next++; index < paths.size(); index = next++)
        if (!paths[index].empty()) {
          thumbnails[index] = thumbnailOf(paths[index]);
          if (const auto provenance = provenanceOf(paths[index]))
            thumbnails[index].facts = provenance->facts;
        }
    });
  threads.clear(); // waits for them
  return thumbnails;
}

} // namespace aimlvideo::cli
