// SPDX-License-Identifier: LGPL-2.1-or-later
#include "engine_log.h"

#include <string_view>

namespace aimlvideo {

GstDebugLevel debugLevelOf(LogLevel level) {
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

namespace {

class GStreamerLog : public LogSink {
public:
  bool wants(LogLevel level) const override {
    return debugLevelOf(level) <= gst_debug_category_get_threshold(category_);
  }

  void write(LogLevel level, const std::string &line, const std::source_location &place) override {
    gst_debug_log(category_, debugLevelOf(level), place.file_name(), plainName(place).c_str(),
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

std::string plainName(const std::source_location &place) {
  const std::string_view function = place.function_name();
  const std::string_view name = function.substr(0, function.find('('));
  return std::string(name.substr(name.find_last_of(" :") + 1));
}

void logToGStreamer() {
  static auto *const log = new GStreamerLog;
  setLogSink(log);
}

} // namespace aimlvideo
