// SPDX-License-Identifier: LGPL-2.1-or-later
#include "engine_log.h"

#include <gst/gst.h>

#include <aimlvideo/log.h>

namespace aimlvideo {

namespace {

GstDebugLevel levelOf(LogLevel level) {
  switch (level) {
  case LogLevel::Warning:
    return GST_LEVEL_WARNING;
  case LogLevel::Info:
    return GST_LEVEL_INFO;
  case LogLevel::Debug:
    return GST_LEVEL_DEBUG;
  case LogLevel::Log:
    return GST_LEVEL_LOG;
  }
  return GST_LEVEL_LOG;
}

/// A function's name without its types, as __func__ has it.
std::string plainName(std::string_view function) {
  const std::string_view name = function.substr(0, function.find('('));
  return std::string(name.substr(name.find_last_of(" :") + 1));
}

class GStreamerLog : public LogSink {
public:
  bool wants(LogLevel level) const override { return levelOf(level) <= gst_debug_category_get_threshold(category_); }

  void write(LogLevel level, const std::string &line, const std::source_location &place) override {
    gst_debug_log(category_, levelOf(level), place.file_name(), plainName(place.function_name()).c_str(),
                  static_cast<gint>(place.line()), nullptr, "%s", line.c_str());
  }

private:
  static GstDebugCategory *newCategory() {
    GstDebugCategory *category = nullptr;
    GST_DEBUG_CATEGORY_INIT(category, "aimlvideo", 0, "engine of aimlvideosrc");
    return category;
  }

  GstDebugCategory *const category_ = newCategory();
};

} // namespace

void logToGStreamer() {
  static auto *const log = new GStreamerLog;
  setLogSink(log);
}

} // namespace aimlvideo
