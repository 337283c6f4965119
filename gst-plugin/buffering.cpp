// SPDX-License-Identifier: LGPL-2.1-or-later
#include "buffering.h"

#include <gst/base/gstbasesrc.h>

#include <aimlvideo/glib_ptr.h>

namespace aimlvideo {

namespace {

bool isLiveItself(GstElement *element) {
  if (GST_IS_BASE_SRC(element) && gst_base_src_is_live(GST_BASE_SRC(element)))
    return true;
  GST_OBJECT_LOCK(element);
  const bool live = GST_STATE_RETURN(element) == GST_STATE_CHANGE_NO_PREROLL;
  GST_OBJECT_UNLOCK(element);
  return live;
}

/// The element that holds all others, this one included.
GRefPtr<GstObject> topOf(GstElement *element) {
  auto top = share(GST_OBJECT(element));
  while (auto parent = adopt(gst_object_get_parent(top.get())))
    top = std::move(parent);
  return top;
}

/// Whether a pause would hold up more than the clip that is awaited: something live, or something that plays.
bool mustNotPause(GstElement *element) {
  const auto top = topOf(element);
  if (!GST_IS_BIN(top.get()))
    return isLiveItself(element);
  GST_OBJECT_LOCK(top.get());
  const bool plays = GST_STATE(top.get()) == GST_STATE_PLAYING;
  GST_OBJECT_UNLOCK(top.get());
  if (plays || isLiveItself(GST_ELEMENT(top.get())))
    return true;
  GstIterator *all = gst_bin_iterate_recurse(GST_BIN(top.get()));
  GValue found = G_VALUE_INIT;
  const auto compare = [](gconstpointer item, gconstpointer) -> gint {
    return isLiveItself(GST_ELEMENT(g_value_get_object(static_cast<const GValue *>(item)))) ? 0 : 1;
  };
  const bool live = gst_iterator_find_custom(all, compare, &found, nullptr) != FALSE;
  if (live)
    g_value_unset(&found);
  gst_iterator_free(all);
  return live;
}

} // namespace

void Buffering::begin(bool wanted) {
  latest_ = wanted ? nothingYet : unwanted;
}

void Buffering::update(int percent) {
  if (latest_ == unwanted || percent <= latest_)
    return;
  if (mustNotPause(element_))
    return end();
  latest_ = percent;
  post(percent);
}

void Buffering::end() {
  const int latest = latest_.exchange(unwanted);
  if (latest != unwanted && latest != nothingYet)
    post(100);
}

void Buffering::post(int percent) const {
  gst_element_post_message(element_, gst_message_new_buffering(GST_OBJECT(element_), percent));
}

} // namespace aimlvideo
