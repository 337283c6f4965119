// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-aimlmark
 * @title: aimlmark
 * @short_description: marks what passes as made by a generative model
 *
 * aimlmark lets everything pass and adds what the clips of the pipeline's aimlvideosrc say of their origin, which
 * decoders, encoders and muxers would lose: behind a muxer for MP4 or QuickTime a box with an XMP packet at the end of
 * the file, in each JPEG picture a segment with the packet, and before any other muxer tags that it writes.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 aimlvideosrc prompt="A paper boat" ! decodebin ! videoconvert ! x264enc ! mp4mux ! aimlmark ! filesink
 * location=boat.mp4
 * ]|
 *
 * Since: 0.1
 */
#include "aimlmark.h"

#include <string>

#include "marker.h"

GST_DEBUG_CATEGORY(aimlmark_debug);

using aimlvideo::Marker;

struct _GstAimlMark {
  GstElement parent;
  Marker *marker;
};

enum { PROP_XMP = 1 };

static GstStaticPadTemplate sinkTemplate =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate sourceTemplate =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_FINAL_TYPE(GstAimlMark, gst_aiml_mark, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE(aimlmark, "aimlmark", GST_RANK_NONE, GST_TYPE_AIML_MARK)

static GstFlowReturn gst_aiml_mark_chain(GstPad *, GstObject *parent, GstBuffer *buffer) {
  return GST_AIML_MARK(parent)->marker->pass(buffer);
}

static gboolean gst_aiml_mark_sink_event(GstPad *pad, GstObject *parent, GstEvent *event) {
  Marker *marker = GST_AIML_MARK(parent)->marker;
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_STREAM_START:
  case GST_EVENT_FLUSH_STOP:
    marker->restart();
    break;
  case GST_EVENT_CAPS: {
    GstCaps *caps = nullptr;
    gst_event_parse_caps(event, &caps);
    marker->takeCaps(caps);
    break;
  }
  case GST_EVENT_SEGMENT: {
    const GstSegment *segment = nullptr;
    gst_event_parse_segment(event, &segment);
    marker->takeSegment(*segment);
    break;
  }
  case GST_EVENT_TAG:
    event = marker->takeTags(event);
    break;
  case GST_EVENT_EOS:
    marker->endStream();
    break;
  default:
    break;
  }
  return gst_pad_event_default(pad, parent, event);
}

static void gst_aiml_mark_init(GstAimlMark *self) {
  GstPad *sink = gst_pad_new_from_static_template(&sinkTemplate, "sink");
  GstPad *source = gst_pad_new_from_static_template(&sourceTemplate, "src");
  gst_pad_set_chain_function(sink, gst_aiml_mark_chain);
  gst_pad_set_event_function(sink, gst_aiml_mark_sink_event);
  for (GstPad *pad : {sink, source}) {
    GST_PAD_SET_PROXY_CAPS(pad);
    GST_PAD_SET_PROXY_ALLOCATION(pad);
    gst_element_add_pad(GST_ELEMENT(self), pad);
  }
  self->marker = new Marker(GST_ELEMENT(self), source);
}

static void gst_aiml_mark_finalize(GObject *object) {
  delete GST_AIML_MARK(object)->marker;
  G_OBJECT_CLASS(gst_aiml_mark_parent_class)->finalize(object);
}

static void gst_aiml_mark_set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec) {
  if (id == PROP_XMP)
    GST_AIML_MARK(object)->marker->set(g_value_get_string(value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void gst_aiml_mark_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
  if (id != PROP_XMP) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
    return;
  }
  const std::string packet = GST_AIML_MARK(object)->marker->get();
  g_value_set_string(value, packet.empty() ? nullptr : packet.c_str());
}

static GstStateChangeReturn gst_aiml_mark_change_state(GstElement *element, GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED)
    GST_AIML_MARK(element)->marker->restart();
  return GST_ELEMENT_CLASS(gst_aiml_mark_parent_class)->change_state(element, transition);
}

static void gst_aiml_mark_class_init(GstAimlMarkClass *klass) {
  GST_DEBUG_CATEGORY_INIT(aimlmark_debug, "aimlmark", 0, "marks generated media");
  auto *object = G_OBJECT_CLASS(klass);
  auto *element = GST_ELEMENT_CLASS(klass);
  object->finalize = gst_aiml_mark_finalize;
  object->set_property = gst_aiml_mark_set_property;
  object->get_property = gst_aiml_mark_get_property;
  element->change_state = gst_aiml_mark_change_state;
  g_object_class_install_property(
      object, PROP_XMP,
      g_param_spec_string(
          "xmp", "XMP",
          "The XMP packet to add; unset: what the clips of this pipeline's aimlvideosrc elements say. "
          "'aimlvideo inspect --xmp FILE' prints that of a file",
          nullptr, static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)));
  gst_element_class_add_static_pad_template(element, &sinkTemplate);
  gst_element_class_add_static_pad_template(element, &sourceTemplate);
  gst_element_class_set_static_metadata(element, "Mark of generated media", "Formatter/Metadata",
                                        "Marks what passes as made by a generative model",
                                        "gst-aimlvideo maintainers <maintainers@gst-aimlvideo.invalid>");
}
