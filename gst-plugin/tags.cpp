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

GstEvent *withMark(GstEvent *tags, const MarkFacts &facts) {
  GstTagList *list = nullptr;
  const char *comment = nullptr;
  gst_event_parse_tag(tags, &list);
  if (!gst_tag_list_peek_string_index(list, GST_TAG_COMMENT, 0, &comment) || factsInLine(comment))
    return tags;
  GstTagList *changed = gst_tag_list_copy(list);
  gst_tag_list_add(changed, GST_TAG_MERGE_REPLACE, GST_TAG_COMMENT, (markLine(facts) + "; " + comment).c_str(),
                   nullptr);
  GstEvent *event = gst_event_new_tag(changed);
  gst_event_set_seqnum(event, gst_event_get_seqnum(tags));
  gst_event_unref(tags);
  return event;
}

} // namespace aimlvideo
