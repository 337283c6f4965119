// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tags.h"

#include <string>

namespace aimlvideo {

GstTagList *tagsFor(const MarkFacts &facts) {
  // every muxer that writes tags has a place for a comment
  GstTagList *tags =
      gst_tag_list_new(GST_TAG_COMMENT, markLine(facts).c_str(), GST_TAG_KEYWORDS, "AI generated", nullptr);
  gst_tag_list_set_scope(tags, GST_TAG_SCOPE_GLOBAL);
  if (!facts.description.empty())
    gst_tag_list_add(tags, GST_TAG_MERGE_APPEND, GST_TAG_DESCRIPTION, facts.description.c_str(), nullptr);
  return tags;
}

} // namespace aimlvideo
