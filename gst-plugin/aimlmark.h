// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_AIML_MARK (gst_aiml_mark_get_type())
G_DECLARE_FINAL_TYPE(GstAimlMark, gst_aiml_mark, GST, AIML_MARK, GstElement)
GST_ELEMENT_REGISTER_DECLARE(aimlmark)

G_END_DECLS
