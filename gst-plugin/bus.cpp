// SPDX-License-Identifier: LGPL-2.1-or-later
#include "bus.h"

#include <algorithm>
#include <memory>

#include <aimlvideo/glib_ptr.h>
#include <aimlvideo/mark.h>
#include <aimlvideo/printable.h>

#include "engine_log.h"
#include "marker.h"
#include "tags.h"

namespace aimlvideo {

namespace {

constexpr auto progressCode = "generate";
constexpr int noPercent = -1;

guint64 nanoseconds(std::chrono::milliseconds time) {
  return static_cast<guint64>(std::chrono::nanoseconds(time).count());
}

void setText(GstStructure *structure, const char *name, const std::string &text) {
  if (!text.empty())
    gst_structure_set(structure, name, G_TYPE_STRING, text.c_str(), nullptr);
}

void setCost(GstStructure *structure, const Usage &usage) {
  if (usage.credits)
    gst_structure_set(structure, "credits-used", G_TYPE_DOUBLE, *usage.credits, nullptr);
  if (usage.usd)
    gst_structure_set(structure, "usd-spent", G_TYPE_DOUBLE, *usage.usd, nullptr);
}

void setEstimate(GstStructure *structure, const Status &status) {
  if (status.estimatedUsd)
    gst_structure_set(structure, "usd-estimated", G_TYPE_DOUBLE, *status.estimatedUsd, nullptr);
}

void setDownload(GstStructure *structure, const Status &status) {
  gst_structure_set(structure, "bytes", G_TYPE_UINT64, status.bytesReceived, nullptr);
  if (status.bytesTotal)
    gst_structure_set(structure, "bytes-total", G_TYPE_UINT64, *status.bytesTotal, nullptr);
  if (status.bytesTotal && *status.bytesTotal > 0) {
    const auto percent =
        static_cast<gint>(std::min(status.bytesReceived, *status.bytesTotal) * 100 / *status.bytesTotal);
    gst_structure_set(structure, "percent", G_TYPE_INT, percent, nullptr);
  }
  if (status.bytesPerSecond > 0)
    gst_structure_set(structure, "rate", G_TYPE_UINT64, status.bytesPerSecond, nullptr);
}

} // namespace

GstResourceError resourceErrorFor(ErrorKind kind) {
  switch (kind) {
  case ErrorKind::BadRequest:
  case ErrorKind::TooLarge:
    return GST_RESOURCE_ERROR_SETTINGS;
  case ErrorKind::NotAuthorized:
    return GST_RESOURCE_ERROR_NOT_AUTHORIZED;
  case ErrorKind::NotFound:
  case ErrorKind::Lost:
    return GST_RESOURCE_ERROR_NOT_FOUND;
  case ErrorKind::Busy:
    return GST_RESOURCE_ERROR_BUSY;
  case ErrorKind::Unreadable:
  case ErrorKind::Unreachable:
    return GST_RESOURCE_ERROR_OPEN_READ;
  case ErrorKind::TimedOut:
  case ErrorKind::BadAnswer:
    return GST_RESOURCE_ERROR_READ;
  case ErrorKind::NoSpace:
    return GST_RESOURCE_ERROR_NO_SPACE_LEFT;
  case ErrorKind::UnknownOutcome:
  case ErrorKind::GenerationFailed:
  case ErrorKind::Cancelled:
    return GST_RESOURCE_ERROR_FAILED;
  }
  return GST_RESOURCE_ERROR_FAILED;
}

void Bus::error(const Error &error) const {
  GstStructure *details = gst_structure_new("details", "kind", G_TYPE_STRING, nameOf(error.kind), nullptr);
  if (error.httpStatus != 0)
    gst_structure_set(details, "http-status-code", G_TYPE_UINT, error.httpStatus, nullptr);
  setText(details, "generation-id", error.generationId);
  setText(details, "client-request-id", error.clientRequestId);
  setText(details, "request-id", error.requestId);
  setText(details, "service-message", error.serviceMessage);
  std::string debug = error.why.empty() ? error.what : error.why;
  if (!error.generationId.empty())
    debug += "; generation " + error.generationId;
  if (!error.clientRequestId.empty())
    debug += "; client request " + error.clientRequestId;
  if (!error.requestId.empty())
    debug += "; request " + error.requestId;
  gst_element_message_full_with_details(element_, GST_MESSAGE_ERROR, GST_RESOURCE_ERROR, resourceErrorFor(error.kind),
                                        g_strdup(error.text().c_str()), g_strdup(printable(debug).c_str()),
                                        error.place.file_name(), plainName(error.place).c_str(),
                                        static_cast<gint>(error.place.line()), details);
}

void Bus::warning(const std::string &text, const std::string &debug) const {
  gst_element_message_full(element_, GST_MESSAGE_WARNING, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                           g_strdup(text.c_str()), g_strdup(debug.c_str()), __FILE__, GST_FUNCTION, __LINE__);
}

void Bus::generation(const Status &status) const {
  GstStructure *structure =
      gst_structure_new("aimlvideo-generation", "status", G_TYPE_STRING, nameOf(status.state), "elapsed", G_TYPE_UINT64,
                        nanoseconds(status.elapsed()), "reused", G_TYPE_BOOLEAN, status.reused(), "origin",
                        G_TYPE_STRING, nameOf(status.origin), nullptr);
  setText(structure, "model", status.model);
  setText(structure, "generation-id", status.generationId);
  setText(structure, "unmarked", status.unmarked);
  if (const auto remaining = status.remaining())
    gst_structure_set(structure, "eta", G_TYPE_UINT64, nanoseconds(*remaining), nullptr);
  setEstimate(structure, status);
  setCost(structure, status.billed());
  if (status.bytesReceived > 0)
    setDownload(structure, status);
  gst_element_post_message(element_, gst_message_new_element(GST_OBJECT(element_), structure));
}

void Bus::durationChanged() const {
  gst_element_post_message(element_, gst_message_new_duration_changed(GST_OBJECT(element_)));
}

void Bus::tags(const Status &status, const std::string &title, const std::string &mark) const {
  GstTagList *tags = tagsFor(factsIn(mark).value_or(MarkFacts()));
  if (!status.model.empty())
    gst_tag_list_add(tags, GST_TAG_MERGE_APPEND, GST_TAG_ENCODER, status.model.c_str(), nullptr);
  if (!title.empty())
    gst_tag_list_add(tags, GST_TAG_MERGE_APPEND, GST_TAG_TITLE, title.c_str(), nullptr);
  const std::string id = "aimlvideo-generation-id=" + printable(status.generationId); // players print tags
  gst_tag_list_add(tags, GST_TAG_MERGE_APPEND, GST_TAG_EXTENDED_COMMENT, id.c_str(), nullptr);
  // downstream in push mode; on the bus as well, since no event passes a demuxer that pulls
  GstEvent *event = gst_event_new_tag(gst_tag_list_ref(tags));
  // not gst_element_send_event(): it takes the state lock, which a thread holds that stops the element and waits for
  // this
  GST_ELEMENT_GET_CLASS(element_)->send_event(element_, event);
  gst_element_post_message(element_, gst_message_new_tag(GST_OBJECT(element_), tags));
}

void Bus::mark(const std::string &mark) const {
  const GCharPtr path(gst_object_get_path_string(GST_OBJECT(element_)));
  GstContext *context = gst_context_new((markContext + std::string(path.get())).c_str(), FALSE);
  gst_structure_set(gst_context_writable_structure(context), "xmp", G_TYPE_STRING, mark.c_str(), nullptr);
  gst_element_post_message(element_, gst_message_new_have_context(GST_OBJECT(element_), context));
}

void Bus::progress(GstProgressType type, const std::string &text, int percent) const {
  GstMessage *message = gst_message_new_progress(GST_OBJECT(element_), type, progressCode, text.c_str());
  GstStructure *structure = gst_message_writable_structure(message);
  if (percent != noPercent)
    gst_structure_set(structure, "percent", G_TYPE_INT, percent, nullptr);
  else
    gst_structure_remove_field(structure, "percent"); // which is 100 at any end
  gst_element_post_message(element_, message);
}

void Bus::progressStarted(const std::string &text) {
  progressOpen_ = true;
  saidHowToGoOn_ = false;
  progress(GST_PROGRESS_TYPE_START, text, 0);
}

/// gst-launch-1.0 shows nothing of what is said once it was told to stop, so this is said before.
void Bus::progressContinued(const Status &status, const std::string &note) {
  if (!progressOpen_)
    return;
  std::string text = note.empty() ? describe(status) : note;
  if (const auto percent = status.percent())
    text += ", " + std::to_string(*percent) + " %";
  if (!status.generationId.empty()) {
    text += ", generation " + printable(status.generationId);
    if (!saidHowToGoOn_.exchange(true))
      text += "; if it is stopped, the same request goes on with it and buys nothing";
  }
  progress(GST_PROGRESS_TYPE_CONTINUE, text, status.percent().value_or(0));
}

bool Bus::progressEnded(GstProgressType end, const std::string &text) {
  if (!progressOpen_.exchange(false))
    return false;
  progress(end, text, end == GST_PROGRESS_TYPE_COMPLETE ? 100 : noPercent);
  return true;
}

GstStructure *statisticsOf(const Status &status) {
  GstStructure *structure = gst_structure_new(
      "aimlvideo-statistics", "elapsed", G_TYPE_UINT64, nanoseconds(status.elapsed()), "queue-time", G_TYPE_UINT64,
      nanoseconds(status.queueTime), "submit-time", G_TYPE_UINT64, nanoseconds(status.submitTime), "wait-time",
      G_TYPE_UINT64, nanoseconds(status.waitTime), "download-time", G_TYPE_UINT64, nanoseconds(status.downloadTime),
      "polls", G_TYPE_UINT, status.polls, "retries", G_TYPE_UINT, status.retries, "reused", G_TYPE_BOOLEAN,
      status.reused(), "origin", G_TYPE_STRING, nameOf(status.origin), nullptr);
  setText(structure, "model", status.model);
  setText(structure, "generation-id", status.generationId);
  setText(structure, "client-request-id", status.clientRequestId);
  setEstimate(structure, status);
  setDownload(structure, status);
  setCost(structure, status.billed());
  return structure;
}

} // namespace aimlvideo
