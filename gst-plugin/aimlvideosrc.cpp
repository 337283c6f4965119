// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-aimlvideosrc
 * @title: aimlvideosrc
 * @short_description: a source whose video a model generates from a prompt and an image
 *
 * aimlvideosrc submits a generation to the AI/ML API, waits for it, fetches the clip, an MP4, and delivers it like any
 * file or network source: seekable, in push and in pull mode.
 *
 * A generation takes minutes and costs money. It starts when the element goes to PAUSED with its source pad linked,
 * goes on through flushes and seeks, and ends with the element's return to READY; what was bought by then stays at the
 * service and is continued, not bought again, when the same element goes to PAUSED again with the same settings.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 aimlvideosrc prompt="Mona Lisa puts on glasses" image=mona.jpg ! decodebin ! autovideosink
 * ]|
 *
 * It plays URIs such as `aimlvideo://klingai/video-v2-6-pro-text-to-video?prompt=A%20cat`. A URI alone plays what is
 * bought already, and buys what the environment variable AIMLVIDEO_URI_MAX_COST or an application allows.
 *
 * Since: 0.1
 */
#include "aimlvideosrc.h"

#include <string>

#include "preset.h"
#include "properties.h"
#include "source.h"
#include "uri_handler.h"

GST_DEBUG_CATEGORY(aimlvideosrc_debug);

using aimlvideo::Property;
using aimlvideo::Source;

struct _GstAimlVideoSrc {
  GstBaseSrc parent;
  Source *source;
};

static GstStaticPadTemplate sourceTemplate =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void gst_aiml_video_src_preset_init(gpointer iface, gpointer) {
  aimlvideo::initPresetInterface(static_cast<GstPresetInterface *>(iface));
}

static GstURIType gst_aiml_video_src_uri_type(GType) {
  return GST_URI_SRC;
}

static const gchar *const *gst_aiml_video_src_uri_protocols(GType) {
  return aimlvideo::uriProtocols();
}

static gchar *gst_aiml_video_src_get_uri(GstURIHandler *handler) {
  const std::string uri = GST_AIML_VIDEO_SRC(handler)->source->uri();
  return uri.empty() ? nullptr : g_strdup(uri.c_str());
}

static gboolean gst_aiml_video_src_set_uri(GstURIHandler *handler, const gchar *uri, GError **error) {
  return GST_AIML_VIDEO_SRC(handler)->source->setUri(uri, error);
}

static void gst_aiml_video_src_uri_init(gpointer iface, gpointer) {
  auto *handler = static_cast<GstURIHandlerInterface *>(iface);
  handler->get_type = gst_aiml_video_src_uri_type;
  handler->get_protocols = gst_aiml_video_src_uri_protocols;
  handler->get_uri = gst_aiml_video_src_get_uri;
  handler->set_uri = gst_aiml_video_src_set_uri;
}

G_DEFINE_FINAL_TYPE_WITH_CODE(GstAimlVideoSrc, gst_aiml_video_src, GST_TYPE_BASE_SRC,
                              G_IMPLEMENT_INTERFACE(GST_TYPE_PRESET, gst_aiml_video_src_preset_init)
                                  G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, gst_aiml_video_src_uri_init))
// Source/Network/Video or a rank would make autovideosrc start a generation where somebody wanted a camera
GST_ELEMENT_REGISTER_DEFINE(aimlvideosrc, "aimlvideosrc", GST_RANK_NONE, GST_TYPE_AIML_VIDEO_SRC)

// The base class asks downstream where to allocate whenever a link changes. A queue that has seen the end of its stream
// never answers, so that a demuxer which is done early would leave this element waiting for ever. The bytes of a clip
// come from its file in any case.
static GstPadProbeReturn gst_aiml_video_src_keep_allocation_query(GstPad *, GstPadProbeInfo *info, gpointer) {
  return GST_QUERY_TYPE(GST_PAD_PROBE_INFO_QUERY(info)) == GST_QUERY_ALLOCATION ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

static void gst_aiml_video_src_init(GstAimlVideoSrc *self) {
  self->source = new Source(GST_BASE_SRC(self));
  GstBaseSrc *base = GST_BASE_SRC(self);
  gst_base_src_set_format(base, GST_FORMAT_BYTES);
  // the size is learnt late; create() knows where the clip ends
  gst_base_src_set_automatic_eos(base, FALSE);
  gst_base_src_set_blocksize(base, 512 * 1024);
  gst_pad_add_probe(GST_BASE_SRC_PAD(base), GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
                    gst_aiml_video_src_keep_allocation_query, nullptr, nullptr);
}

static void gst_aiml_video_src_finalize(GObject *object) {
  delete GST_AIML_VIDEO_SRC(object)->source;
  G_OBJECT_CLASS(gst_aiml_video_src_parent_class)->finalize(object);
}

static void gst_aiml_video_src_set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec) {
  if (GST_AIML_VIDEO_SRC(object)->source->set(static_cast<Property>(id), g_param_spec_get_name(pspec), value))
    g_object_notify_by_pspec(object, pspec);
}

static void gst_aiml_video_src_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
  if (!GST_AIML_VIDEO_SRC(object)->source->get(static_cast<Property>(id), value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static GstStateChangeReturn gst_aiml_video_src_change_state(GstElement *element, GstStateChange transition) {
  Source *source = GST_AIML_VIDEO_SRC(element)->source;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !source->checkLink())
    return GST_STATE_CHANGE_FAILURE;
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_aiml_video_src_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result != GST_STATE_CHANGE_FAILURE)
    source->enterPaused();
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    source->leavePaused();
  return result;
}

static gboolean gst_aiml_video_src_send_event(GstElement *element, GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
    GST_AIML_VIDEO_SRC(element)->source->endOfStreamComes();
  return GST_ELEMENT_CLASS(gst_aiml_video_src_parent_class)->send_event(element, event);
}

// Runs more than once: for the real start and for each switch between push and pull. It buys nothing.
static gboolean gst_aiml_video_src_start(GstBaseSrc *base) {
  return GST_AIML_VIDEO_SRC(base)->source->validate();
}

static gboolean gst_aiml_video_src_stop(GstBaseSrc *) {
  return TRUE;
}

static gboolean gst_aiml_video_src_unlock(GstBaseSrc *base) {
  GST_AIML_VIDEO_SRC(base)->source->setFlushing(true);
  return TRUE;
}

static gboolean gst_aiml_video_src_unlock_stop(GstBaseSrc *base) {
  GST_AIML_VIDEO_SRC(base)->source->setFlushing(false);
  return TRUE;
}

static gboolean gst_aiml_video_src_is_seekable(GstBaseSrc *) {
  return TRUE; // pull mode is decided before anything is known of the clip
}

static gboolean gst_aiml_video_src_get_size(GstBaseSrc *base, guint64 *size) {
  const gint64 known = GST_AIML_VIDEO_SRC(base)->source->size();
  if (known < 0)
    return FALSE;
  *size = static_cast<guint64>(known);
  return TRUE;
}

// None of these may block, and the base class would start() for the scheduling query.
static gboolean gst_aiml_video_src_query(GstBaseSrc *base, GstQuery *query) {
  switch (GST_QUERY_TYPE(query)) {
  case GST_QUERY_SCHEDULING:
    gst_query_set_scheduling(query, GST_SCHEDULING_FLAG_SEEKABLE, 1, -1, 0);
    gst_query_add_scheduling_mode(query, GST_PAD_MODE_PUSH);
    gst_query_add_scheduling_mode(query, GST_PAD_MODE_PULL);
    return TRUE;
  case GST_QUERY_URI:
    // the suffix tells typefinders what to try first
    gst_query_set_uri(query, "aimlvideo://generation/clip.mp4");
    return TRUE;
  case GST_QUERY_DURATION: {
    GstFormat format;
    gst_query_parse_duration(query, &format, nullptr);
    if (format != GST_FORMAT_BYTES)
      break;
    gst_query_set_duration(query, GST_FORMAT_BYTES, GST_AIML_VIDEO_SRC(base)->source->size());
    return TRUE;
  }
  default:
    break;
  }
  return GST_BASE_SRC_CLASS(gst_aiml_video_src_parent_class)->query(base, query);
}

static GstFlowReturn gst_aiml_video_src_create(GstBaseSrc *base, guint64 offset, guint length, GstBuffer **buffer) {
  return GST_AIML_VIDEO_SRC(base)->source->create(offset, length, buffer);
}

static void gst_aiml_video_src_class_init(GstAimlVideoSrcClass *klass) {
  GST_DEBUG_CATEGORY_INIT(aimlvideosrc_debug, "aimlvideosrc", 0, "generated video source");

  auto *objectClass = G_OBJECT_CLASS(klass);
  objectClass->finalize = gst_aiml_video_src_finalize;
  objectClass->set_property = gst_aiml_video_src_set_property;
  objectClass->get_property = gst_aiml_video_src_get_property;
  aimlvideo::installProperties(objectClass);

  auto *elementClass = GST_ELEMENT_CLASS(klass);
  elementClass->change_state = gst_aiml_video_src_change_state;
  elementClass->send_event = gst_aiml_video_src_send_event;
  gst_element_class_add_static_pad_template(elementClass, &sourceTemplate);
  gst_element_class_set_static_metadata(
      elementClass, "AI/ML API generated video source", "Source/Network",
      "Generates a video clip from a prompt and an image with a model of the AI/ML API (Kling and others): submits the "
      "generation, waits for it, downloads the MP4 and delivers it",
      "gst-aimlvideo maintainers <maintainers@gst-aimlvideo.invalid>");

  auto *baseClass = GST_BASE_SRC_CLASS(klass);
  baseClass->start = gst_aiml_video_src_start;
  baseClass->stop = gst_aiml_video_src_stop;
  baseClass->unlock = gst_aiml_video_src_unlock;
  baseClass->unlock_stop = gst_aiml_video_src_unlock_stop;
  baseClass->is_seekable = gst_aiml_video_src_is_seekable;
  baseClass->get_size = gst_aiml_video_src_get_size;
  baseClass->query = gst_aiml_video_src_query;
  baseClass->create = gst_aiml_video_src_create;
}
