// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gst/base/gstbasesrc.h>
#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_AIML_VIDEO_SRC (gst_aiml_video_src_get_type())
G_DECLARE_FINAL_TYPE(GstAimlVideoSrc, gst_aiml_video_src, GST, AIML_VIDEO_SRC, GstBaseSrc)

GST_ELEMENT_REGISTER_DECLARE(aimlvideosrc)

G_END_DECLS
