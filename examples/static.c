/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A program that contains aimlvideosrc, so that no plugin of ours needs to be installed where it runs: a prompt to a
 * file.
 *
 *   export PKG_CONFIG_PATH=/usr/lib/x86_64-linux-gnu/gstreamer-1.0/pkgconfig
 *   cc static.c $(pkg-config --cflags --libs gstaimlapi) -o static
 *   ./static "A paper boat on a stream" boat.mp4
 */
#include <gst/gst.h>

GST_PLUGIN_STATIC_DECLARE(aimlapi);

static int run(GstElement *pipeline) {
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *end;
  gboolean failed;

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  end = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  failed = GST_MESSAGE_TYPE(end) == GST_MESSAGE_ERROR;
  if (failed) {
    GError *error = NULL;
    gst_message_parse_error(end, &error, NULL);
    g_printerr("%s\n", error->message);
    g_clear_error(&error);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_message_unref(end);
  gst_object_unref(bus);
  return failed ? 1 : 0;
}

int main(int argc, char **argv) {
  GstElement *pipeline, *source, *sink;
  int status;

  gst_init(&argc, &argv);
  GST_PLUGIN_STATIC_REGISTER(aimlapi);
  if (argc != 3) {
    g_printerr("Usage: %s PROMPT FILE\n", argv[0]);
    return 2;
  }

  pipeline = gst_pipeline_new(NULL);
  source = gst_element_factory_make("aimlvideosrc", NULL);
  sink = gst_element_factory_make("filesink", NULL);
  g_object_set(source, "prompt", argv[1], NULL);
  g_object_set(sink, "location", argv[2], NULL);
  gst_bin_add_many(GST_BIN(pipeline), source, sink, NULL);
  gst_element_link(source, sink);

  status = run(pipeline);
  gst_object_unref(pipeline);
  return status;
}
