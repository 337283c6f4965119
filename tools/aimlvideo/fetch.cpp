// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fetch.h"

#include <utility>

#include "base/glib_ptr.h"
#include "output.h"

namespace aimlvideo::cli {

namespace {

constexpr double nanosecondsPerSecond = 1e9;

ErrorKind kindNamed(const std::string &name) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::Cancelled); ++kind)
    if (name == aimlvideo::nameOf(static_cast<ErrorKind>(kind)))
      return static_cast<ErrorKind>(kind);
  return ErrorKind::BadAnswer;
}

std::string textIn(const GstStructure *structure, const char *field) {
  const char *text = structure ? gst_structure_get_string(structure, field) : nullptr;
  return text ? text : "";
}

std::optional<double> numberIn(const GstStructure *structure, const char *field) {
  double number = 0;
  return gst_structure_get_double(structure, field, &number) ? std::optional(number) : std::nullopt;
}

std::optional<double> secondsIn(const GstStructure *structure, const char *field) {
  guint64 time = 0;
  return gst_structure_get_uint64(structure, field, &time)
             ? std::optional(static_cast<double>(time) / nanosecondsPerSecond)
             : std::nullopt;
}

} // namespace

Fetch::Fetch(const PropertyTexts &properties, const std::string &file, std::function<void()> changed, Ended ended)
    : changed_(std::move(changed)),
      ended_(std::move(ended)),
      pipeline_([this](GstMessage *message) { heard(message); }),
      source_(pipeline_.add("aimlvideosrc")) {
  apply(properties, source_);
  GstElement *sink = pipeline_.add("filesink");
  g_object_set(sink, "location", file.c_str(), nullptr);
  gst_element_link(source_, sink);
  pipeline_.play();
}

void Fetch::learn(const GstStructure *structure) {
  const auto take = [](auto &target, auto value) {
    if (value)
      target = value;
  };
  const auto takeText = [structure](std::string &target, const char *field) {
    if (const std::string text = textIn(structure, field); !text.empty())
      target = text;
  };
  takeText(news_.status, "status");
  takeText(news_.model, "model");
  takeText(news_.generationId, "generation-id");
  takeText(news_.origin, "origin");
  news_.elapsed = secondsIn(structure, "elapsed").value_or(news_.elapsed);
  news_.eta = news_.status == "queued" || news_.status == "generating" ? secondsIn(structure, "eta") : std::nullopt;
  take(news_.usdEstimated, numberIn(structure, "usd-estimated"));
  take(news_.usdSpent, numberIn(structure, "usd-spent"));
}

/// What the element's error says, with the details that stand in it.
Error Fetch::errorIn(GstMessage *message) const {
  GErrorSlot cause;
  gst_message_parse_error(message, &cause, nullptr);
  const GstStructure *details = nullptr;
  gst_message_parse_error_details(message, &details);
  Error error;
  // another element than the source means that the file can't be written
  error.kind = details ? kindNamed(textIn(details, "kind")) : ErrorKind::NoSpace;
  error.what = details ? cause.message() : std::string("the clip can't be written to its file");
  error.why = details ? "" : cause.message();
  error.generationId = textIn(details, "generation-id");
  error.clientRequestId = textIn(details, "client-request-id");
  return error;
}

void Fetch::heard(GstMessage *message) {
  if (over_)
    return;
  switch (GST_MESSAGE_TYPE(message)) {
  case GST_MESSAGE_ELEMENT:
    if (gst_message_has_name(message, "aimlvideo-generation")) {
      learn(gst_message_get_structure(message));
      changed_();
    }
    break;
  case GST_MESSAGE_PROGRESS: {
    char *text = nullptr;
    gst_message_parse_progress(message, nullptr, nullptr, &text);
    news_.note = GCharPtr(text).get();
    gint percent = 0;
    if (gst_structure_get_int(gst_message_get_structure(message), "percent", &percent))
      news_.percent = percent;
    changed_();
    break;
  }
  case GST_MESSAGE_WARNING: {
    GErrorSlot warning;
    gst_message_parse_warning(message, &warning, nullptr);
    printWarning(warning.message());
    break;
  }
  case GST_MESSAGE_ERROR:
    over_ = true;
    return std::exchange(ended_, {})(errorIn(message)); // which may destroy this
  case GST_MESSAGE_EOS: {
    over_ = true;
    GstStructure *statistics = nullptr;
    g_object_get(source_, "statistics", &statistics, nullptr);
    learn(statistics);
    gst_structure_free(statistics);
    return std::exchange(ended_, {})({});
  }
  default:
    break;
  }
}

} // namespace aimlvideo::cli
