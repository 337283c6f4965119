/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How an application embeds aimlvideosrc: a prompt, optionally with a picture, becomes a file.
 *
 *   cc -o embed examples/embed.c $(pkg-config --cflags --libs gstreamer-1.0)
 *   ./embed --image=mona.jpg --output=mona.mp4 "Mona Lisa puts on glasses"
 *
 * The key is in AIMLAPI_KEY; AIMLAPI_BASE_URL names another service, such as the emulator. Ctrl-C ends it at once.
 * Nothing here waits for the network: the windows of a program stay responsive.
 */
#include <errno.h>
#include <signal.h>

#include <glib-unix.h>
#include <glib/gstdio.h>
#include <gst/gst.h>

/* sysexits.h: the same command may succeed later */
enum { EXIT_TRY_AGAIN = 75, EXIT_INTERRUPTED = 130 };

typedef struct {
  GMainLoop *loop;
  GstElement *pipeline;
  GstElement *source;
  const char *output;
  char *unfinished; /* the file until it is whole */
  int exit_code;
} App;

static void finish(App *app, int exit_code) {
  app->exit_code = exit_code;
  gst_element_set_state(app->pipeline, GST_STATE_NULL); /* at once, whatever the service does */
  if (exit_code != 0)
    g_unlink(app->unfinished);
  g_main_loop_quit(app->loop);
}

/* For people: what is happening, and how far it is. */
static void show_progress(GstMessage *message) {
  char *text = NULL;
  int percent = 0;
  gst_message_parse_progress(message, NULL, NULL, &text);
  if (gst_structure_get_int(gst_message_get_structure(message), "percent", &percent))
    g_print("%3d %%  %s\n", percent, text);
  else
    g_print("       %s\n", text);
  g_free(text);
}

/* For programs: the same in fields, at each change of state. */
static void show_generation(const GstStructure *generation) {
  const char *id = gst_structure_get_string(generation, "generation-id");
  GString *line = g_string_new(gst_structure_get_string(generation, "status"));
  guint64 eta = 0;
  double usd = 0;
  if (id)
    g_string_append_printf(line, ", generation %s", id);
  if (gst_structure_get_uint64(generation, "eta", &eta))
    g_string_append_printf(line, ", %.0f s left", (double)eta / GST_SECOND);
  if (gst_structure_get_double(generation, "usd-spent", &usd))
    g_string_append_printf(line, ", %.2f USD", usd);
  g_print("       [%s]\n", line->str);
  g_string_free(line, TRUE);
}

/* There is one error. Its text says what failed, why, and what to do; the details are for programs. */
static int show_error(GstMessage *message) {
  static const char *const fields[] = {"kind", "http-status-code", "generation-id", "client-request-id",
                                       "service-message"};
  GError *error = NULL;
  const GstStructure *details = NULL;
  const char *kind = NULL;
  gst_message_parse_error(message, &error, NULL);
  gst_message_parse_error_details(message, &details);
  g_printerr("%s\n", error->message);
  for (guint i = 0; details && i < G_N_ELEMENTS(fields); ++i) {
    const GValue *value = gst_structure_get_value(details, fields[i]);
    char *text = value ? g_strdup_value_contents(value) : NULL;
    if (text)
      g_printerr("  %s: %s\n", fields[i], text);
    g_free(text);
  }
  if (details)
    kind = gst_structure_get_string(details, "kind");
  g_error_free(error);
  return kind && (g_str_equal(kind, "busy") || g_str_equal(kind, "unreachable") || g_str_equal(kind, "timed-out"))
             ? EXIT_TRY_AGAIN
             : 1;
}

static void keep_output(App *app) {
  gst_element_set_state(app->pipeline, GST_STATE_NULL); /* closes the file */
  const int failed = g_rename(app->unfinished, app->output);
  if (failed)
    g_printerr("%s can't be written: %s\n", app->output, g_strerror(errno));
  else
    g_print("%s is there.\n", app->output);
  finish(app, failed ? 1 : 0);
}

static gboolean on_message(GstBus *bus, GstMessage *message, gpointer data) {
  App *app = data;
  (void)bus;
  switch (GST_MESSAGE_TYPE(message)) {
  case GST_MESSAGE_PROGRESS:
    show_progress(message);
    break;
  case GST_MESSAGE_ELEMENT:
    if (gst_message_has_name(message, "aimlvideo-generation"))
      show_generation(gst_message_get_structure(message));
    break;
  case GST_MESSAGE_ERROR:
    finish(app, show_error(message)); /* the bus drops what follows, the echoes of the first error */
    break;
  case GST_MESSAGE_EOS:
    keep_output(app);
    break;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

/* What the service has accepted is paid for and continues there. */
static gboolean on_interrupt(gpointer data) {
  App *app = data;
  char *id = NULL;
  g_object_get(app->source, "current-generation-id", &id, NULL);
  finish(app, EXIT_INTERRUPTED);
  g_printerr("Stopped. ");
  if (id)
    g_printerr("Generation %s continues at the service. ", id);
  g_printerr("The same command again resumes it, and nothing is bought twice.\n");
  g_free(id);
  return G_SOURCE_CONTINUE;
}

static int run(const char *prompt, const char *image, const char *output) {
  GError *error = NULL;
  App app = {.output = output, .unfinished = g_strconcat(output, ".part", NULL)};
  app.pipeline = gst_parse_launch("aimlvideosrc name=source ! filesink name=sink", &error);
  if (error) { /* no such element: does GST_PLUGIN_PATH name the plugin's folder? */
    g_printerr("%s\n", error->message);
    g_error_free(error);
    gst_clear_object(&app.pipeline);
    g_free(app.unfinished);
    return 1;
  }
  app.loop = g_main_loop_new(NULL, FALSE);
  app.source = gst_bin_get_by_name(GST_BIN(app.pipeline), "source");
  g_object_set(app.source, "prompt", prompt, "image", image, NULL);
  GstElement *sink = gst_bin_get_by_name(GST_BIN(app.pipeline), "sink");
  g_object_set(sink, "location", app.unfinished, NULL);
  gst_object_unref(sink);

  GstBus *bus = gst_element_get_bus(app.pipeline);
  gst_bus_add_watch(bus, on_message, &app);
  g_unix_signal_add(SIGINT, on_interrupt, &app);
  g_unix_signal_add(SIGTERM, on_interrupt, &app);

  /* returns at once; it is PLAYING when the first bytes of the clip are here, minutes later */
  gst_element_set_state(app.pipeline, GST_STATE_PLAYING);
  g_main_loop_run(app.loop);

  gst_bus_remove_watch(bus);
  gst_object_unref(bus);
  gst_object_unref(app.source);
  gst_object_unref(app.pipeline);
  g_main_loop_unref(app.loop);
  g_free(app.unfinished);
  return app.exit_code;
}

int main(int argc, char **argv) {
  char *image = NULL;
  char *output = NULL;
  GError *error = NULL;
  const GOptionEntry entries[] = {
      {"image", 'i', 0, G_OPTION_ARG_FILENAME, &image, "The first frame, a path or a URL", "IMAGE"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &output, "The file to make (clip.mp4)", "FILE"},
      {0}};
  GOptionContext *context = g_option_context_new("PROMPT");
  g_option_context_add_main_entries(context, entries, NULL);
  g_option_context_add_group(context, gst_init_get_option_group());
  const gboolean understood = g_option_context_parse(context, &argc, &argv, &error);
  g_option_context_free(context);
  if (!understood || argc != 2) {
    g_printerr("%s\n", error ? error->message : "usage: embed [--image=IMAGE] [--output=FILE] PROMPT");
    return 2;
  }
  const int exit_code = run(argv[1], image, output ? output : "clip.mp4");
  g_free(image);
  g_free(output);
  return exit_code;
}
