// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/pipeline.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <utility>

#include "support/check.h"

namespace aimlvideo::test {

namespace {

constexpr std::chrono::seconds patience{50};

const char *progressName(GstProgressType type) {
  switch (type) {
  case GST_PROGRESS_TYPE_START:
    return "progress-start";
  case GST_PROGRESS_TYPE_CONTINUE:
    return "progress-continue";
  case GST_PROGRESS_TYPE_COMPLETE:
    return "progress-complete";
  case GST_PROGRESS_TYPE_CANCELED:
    return "progress-canceled";
  case GST_PROGRESS_TYPE_ERROR:
    return "progress-error";
  }
  return "progress-unknown";
}

Event eventFrom(GstMessage *message) {
  Event event;
  event.what = GST_MESSAGE_TYPE_NAME(message);
  event.source = GST_MESSAGE_SRC_NAME(message);
  if (const GstStructure *structure = gst_message_get_structure(message))
    event.structure = gst_structure_copy(structure);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_PROGRESS) {
    GstProgressType type;
    char *text = nullptr;
    gst_message_parse_progress(message, &type, nullptr, &text);
    event.what = progressName(type);
    event.text = text;
    g_free(text);
  } else if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR || GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
    const bool isError = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
    GError *error = nullptr;
    char *debug = nullptr;
    const GstStructure *details = nullptr;
    if (isError) {
      gst_message_parse_error(message, &error, &debug);
      gst_message_parse_error_details(message, &details);
    } else {
      gst_message_parse_warning(message, &error, &debug);
      gst_message_parse_warning_details(message, &details);
    }
    event.text = error->message;
    event.domain = g_quark_to_string(error->domain);
    event.code = error->code;
    event.debug = debug ? debug : "";
    g_free(debug);
    g_error_free(error);
    g_clear_pointer(&event.structure, gst_structure_free);
    if (details)
      event.structure = gst_structure_copy(details);
  }
  return event;
}

} // namespace

Pipeline::Pipeline(const FakeService &service, const std::string &line) {
  std::string text = line;
  if (const size_t place = text.find("SRC"); place != std::string::npos)
    text.replace(place, 3,
                 "aimlvideosrc name=src poll-interval=100 "
                 "model=kling-video/v1.6/pro/text-to-video prompt=cat base-url=" +
                     service.server.url());
  make(text);
}

Pipeline::Pipeline(const std::string &line) {
  make(line);
}

void Pipeline::make(const std::string &text) {
  GError *error = nullptr;
  pipeline_ = gst_parse_launch_full(text.c_str(), nullptr, GST_PARSE_FLAG_PLACE_IN_BIN, &error);
  if (error)
    g_error("%s: %s", text.c_str(), error->message);
  if (!GST_IS_PIPELINE(pipeline_)) {
    GstElement *inner = pipeline_;
    pipeline_ = gst_pipeline_new(nullptr);
    gst_bin_add(GST_BIN(pipeline_), inner);
  }
  source_ = gst_bin_get_by_name(GST_BIN(pipeline_), "src");
  GstBus *bus = gst_element_get_bus(pipeline_);
  gst_bus_set_sync_handler(
      bus,
      +[](GstBus *, GstMessage *message, gpointer self) {
        static_cast<Pipeline *>(self)->record(message);
        return GST_BUS_DROP;
      },
      this, nullptr);
  gst_object_unref(bus);
  if (!source_)
    return;
  g_object_set(source_, "api-key", "test-key-0123456789", nullptr); // not in the line, which GStreamer logs
  GstPad *pad = gst_element_get_static_pad(source_, "src");
  gst_pad_add_probe(
      pad, GST_PAD_PROBE_TYPE_BUFFER,
      +[](GstPad *, GstPadProbeInfo *info, gpointer data) {
        auto *self = static_cast<Pipeline *>(data);
        bool first = false;
        {
          const std::lock_guard lock(self->mutex_);
          self->bytes_ += gst_buffer_get_size(GST_PAD_PROBE_INFO_BUFFER(info));
          first = !std::exchange(self->sawBuffer_, true);
        }
        if (first)
          self->record(Event{.what = "buffer", .source = "src"});
        return GST_PAD_PROBE_OK;
      },
      this, nullptr);
  gst_object_unref(pad);
}

Pipeline::~Pipeline() {
  // GStreamer 1.22: a bin whose typefind has just lost its source says once that it can't, with all its children done
  if (gst_element_set_state(pipeline_, GST_STATE_NULL) == GST_STATE_CHANGE_FAILURE)
    gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_clear_object(&source_);
  gst_object_unref(pipeline_);
  for (Event &event : events_)
    g_clear_pointer(&event.structure, gst_structure_free);
}

void Pipeline::record(GstMessage *message) {
  Event event = eventFrom(message);
  gst_message_unref(message);
  record(std::move(event));
}

void Pipeline::record(Event event) {
  {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  happened_.notify_all();
}

Event Pipeline::waitFor(const std::string &what) const {
  return waitFor(what, [](const Event &) { return true; });
}

Event Pipeline::waitFor(const std::string &what, const std::function<bool(const Event &)> &that) const {
  const auto wanted = [&](const Event &event) {
    return event.what == what && that(event);
  };
  std::unique_lock lock(mutex_);
  const bool there =
      happened_.wait_for(lock, patience, [&] { return std::any_of(events_.begin(), events_.end(), wanted); });
  if (!there) {
    std::string seen;
    for (const Event &event : events_)
      seen += " " + event.what + "(" + event.text + ")";
    lock.unlock();
    ck_abort_msg("no %s; seen:%s", what.c_str(), seen.c_str());
  }
  return *std::find_if(events_.begin(), events_.end(), wanted);
}

size_t Pipeline::count(const std::string &what) const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(
      std::count_if(events_.begin(), events_.end(), [&](const Event &event) { return event.what == what; }));
}

std::vector<Event> Pipeline::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

size_t Pipeline::position(const std::string &what) const {
  const auto all = events();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Event &event) { return event.what == what; });
  if (found == all.end())
    ck_abort_msg("%s did not happen", what.c_str());
  return static_cast<size_t>(found - all.begin());
}

void Pipeline::forgetEvents() {
  const std::lock_guard lock(mutex_);
  for (Event &event : events_)
    g_clear_pointer(&event.structure, gst_structure_free);
  events_.clear();
  sawBuffer_ = false;
  bytes_ = 0;
}

guint64 Pipeline::size() const {
  gint64 size = 0;
  fail_unless(gst_element_query_duration(source(), GST_FORMAT_BYTES, &size));
  return static_cast<guint64>(size);
}

guint64 Pipeline::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::string clipNamed(const std::string &layout) {
  const char *folder = g_getenv("AIMLVIDEO_TEST_CLIPS");
  const std::string path = std::string(folder ? folder : ".") + "/" + layout + ".mp4";
  const std::ifstream file(path, std::ios::binary);
  if (!file)
    g_error("no clip at %s", path.c_str());
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

} // namespace aimlvideo::test
