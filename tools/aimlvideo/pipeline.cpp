// SPDX-License-Identifier: LGPL-2.1-or-later
#include "pipeline.h"

namespace aimlvideo::cli {

Pipeline::Pipeline(std::function<void(GstMessage *)> heard)
    : element_(gst_pipeline_new(nullptr)), heard_(std::move(heard)) {
  gst_object_ref_sink(element_);
  GstBus *bus = gst_element_get_bus(element_);
  watch_ = gst_bus_add_watch(
      bus,
      [](GstBus *, GstMessage *message, gpointer data) -> gboolean {
        const auto hear = static_cast<Pipeline *>(data)->heard_; // which may end this pipeline
        hear(message);
        return G_SOURCE_CONTINUE;
      },
      this);
  gst_object_unref(bus);
}

Pipeline::~Pipeline() {
  g_source_remove(watch_);
  gst_element_set_state(element_, GST_STATE_NULL);
  gst_object_unref(element_);
}

GstElement *Pipeline::add(const char *factory) {
  GstElement *element = gst_element_factory_make(factory, nullptr);
  if (element)
    gst_bin_add(bin(), element);
  return element;
}

void Pipeline::play() {
  gst_element_set_state(element_, GST_STATE_PLAYING);
}

} // namespace aimlvideo::cli
