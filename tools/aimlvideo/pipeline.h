// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>

#include <gst/gst.h>

namespace aimlvideo::cli {

/// A GStreamer pipeline and the watch on its bus, in the main loop of the thread that made it.
class Pipeline {
public:
  explicit Pipeline(std::function<void(GstMessage *)> heard);
  Pipeline(const Pipeline &) = delete;
  Pipeline &operator=(const Pipeline &) = delete;
  /// Stops it; nothing is heard afterwards.
  ~Pipeline();

  /// Makes an element and adds it. Null: there is none of this name, which checkElements() has reported before.
  GstElement *add(const char *factory);
  GstBin *bin() const { return GST_BIN(element_); }
  void play();

private:
  GstElement *element_;
  guint watch_;
  std::function<void(GstMessage *)> heard_;
};

} // namespace aimlvideo::cli
