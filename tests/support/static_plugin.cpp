// SPDX-License-Identifier: LGPL-2.1-or-later
// The plugin inside a test program, registered as soon as Check's main() has started GStreamer. The program is linked
// with --wrap=gst_check_init.
#include <gst/gst.h>

G_BEGIN_DECLS
GST_PLUGIN_STATIC_DECLARE(aimlapi);
void __real_gst_check_init(int *argc, char ***argv);
void __wrap_gst_check_init(int *argc, char ***argv);
G_END_DECLS

void __wrap_gst_check_init(int *argc, char ***argv) {
  __real_gst_check_init(argc, argv);
  GST_PLUGIN_STATIC_REGISTER(aimlapi);
}
