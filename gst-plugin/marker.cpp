// SPDX-License-Identifier: LGPL-2.1-or-later
#include "marker.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <aimlvideo/glib_ptr.h>
#include <aimlvideo/mark.h>

#include "tags.h"

GST_DEBUG_CATEGORY_EXTERN(aimlmark_debug);
#define GST_CAT_DEFAULT aimlmark_debug

namespace aimlvideo {

namespace {

GstBuffer *bufferOf(const std::string &bytes) {
  GstBuffer *buffer = gst_buffer_new_memdup(bytes.data(), bytes.size());
  GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  return buffer;
}

/// Whether a buffer begins with a box of this type, which a muxer never parts.
bool beginsWith(GstBuffer *buffer, const char *box) {
  char head[8] = {};
  return gst_buffer_extract(buffer, 0, head, sizeof head) == sizeof head && memcmp(head + 4, box, 4) == 0;
}

/// What the sources of the pipeline that an element is in say of their clips.
std::vector<MarkFacts> factsOfSources(GstElement *element) {
  GstObject *top = GST_OBJECT(gst_object_ref(element));
  while (GstObject *parent = gst_object_get_parent(top)) {
    gst_object_unref(top);
    top = parent;
  }
  std::vector<MarkFacts> all;
  GList *contexts = gst_element_get_contexts(GST_ELEMENT(top));
  for (const GList *entry = contexts; entry; entry = entry->next) {
    const auto *context = static_cast<GstContext *>(entry->data);
    if (!g_str_has_prefix(gst_context_get_context_type(context), markContext))
      continue;
    const char *packet = gst_structure_get_string(gst_context_get_structure(context), "xmp");
    if (auto facts = packet ? factsIn(packet) : std::nullopt)
      all.push_back(std::move(*facts));
  }
  g_list_free_full(contexts, reinterpret_cast<GDestroyNotify>(gst_mini_object_unref));
  gst_object_unref(top);
  return all;
}

} // namespace

void Marker::set(const char *packet) {
  const Lock lock(mutex_);
  packet_ = packet ? packet : "";
}

std::string Marker::get() const {
  const Lock lock(mutex_);
  return packet_;
}

/// Empty: nobody says anything, or not yet.
std::string Marker::mark() const {
  if (std::string given = get(); !given.empty())
    return given;
  const auto facts = factsOfSources(element_);
  return facts.empty() ? "" : markFrom(together(facts));
}

void Marker::restart() {
  tagged_ = false;
  started_ = false;
  done_ = false;
  position_ = 0;
  end_ = 0;
}

void Marker::takeCaps(const GstCaps *caps) {
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  const char *name = gst_structure_get_name(structure);
  constexpr const char *movies[] = {"video/quicktime", "audio/x-m4a", "application/x-3gp", "video/mj2"};
  const bool isMovie = std::ranges::any_of(movies, [name](const char *movie) { return g_strcmp0(movie, name) == 0; });
  medium_ = isMovie ? Medium::Movie : g_strcmp0(name, "image/jpeg") == 0 ? Medium::Jpeg : Medium::Other;
}

/// A muxer goes back to write what it knows at the end only.
void Marker::takeSegment(const GstSegment &segment) {
  if (segment.format == GST_FORMAT_BYTES)
    position_ = segment.start;
}

GstFlowReturn Marker::pass(GstBuffer *buffer) {
  if (medium_ == Medium::Movie)
    return passMovie(buffer);
  if (medium_ == Medium::Jpeg)
    return passPicture(buffer);
  pushTags();
  return gst_pad_push(source_, buffer);
}

void Marker::pushTags() {
  if (tagged_)
    return;
  const auto facts = factsIn(mark());
  if (!facts)
    return; // it may be known later
  tagged_ = true;
  gst_pad_push_event(source_, gst_event_new_tag(tagsFor(*facts)));
}

GstFlowReturn Marker::pushMovie(GstBuffer *buffer) {
  position_ += gst_buffer_get_size(buffer);
  end_ = std::max(end_, position_);
  return gst_pad_push(source_, buffer);
}

GstFlowReturn Marker::passMovie(GstBuffer *buffer) {
  if (position_ == 0)
    started_ = beginsWith(buffer, "ftyp");
  // an index of fragments is looked for at the very end; what it points at is before it
  if (started_ && !done_ && position_ == end_ && beginsWith(buffer, "mfra")) {
    const std::string packet = mark();
    done_ = !packet.empty();
    if (const GstFlowReturn flow = done_ ? pushMovie(bufferOf(markBox(packet))) : GST_FLOW_OK; flow != GST_FLOW_OK) {
      gst_buffer_unref(buffer);
      return flow;
    }
  }
  return pushMovie(buffer);
}

GstFlowReturn Marker::passPicture(GstBuffer *buffer) {
  const std::string packet = mark();
  const std::string segment = packet.empty() ? "" : markSegment(packet);
  GstMapInfo map;
  size_t offset = 0;
  if (!segment.empty() && gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    offset = markOffset(map.data, map.size);
    gst_buffer_unmap(buffer, &map);
  }
  done_ = done_ || offset > 0;
  if (offset == 0)
    return gst_pad_push(source_, buffer);
  GstBuffer *marked = gst_buffer_copy_region(
      buffer, static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_METADATA | GST_BUFFER_COPY_MEMORY), 0, offset);
  marked = gst_buffer_append(marked, gst_buffer_new_memdup(segment.data(), segment.size()));
  marked = gst_buffer_append_region(marked, buffer, static_cast<gssize>(offset), -1); // which takes it over
  return gst_pad_push(source_, marked);
}

void Marker::endStream() {
  if (medium_ == Medium::Movie && started_ && !done_) {
    if (const std::string packet = mark(); !packet.empty()) {
      if (position_ != end_) {
        GstSegment behind;
        gst_segment_init(&behind, GST_FORMAT_BYTES);
        behind.start = end_;
        gst_pad_push_event(source_, gst_event_new_segment(&behind));
        position_ = end_;
      }
      done_ = pushMovie(bufferOf(markBox(packet))) == GST_FLOW_OK;
    }
  }
  if (!done_ && !tagged_)
    GST_ELEMENT_WARNING(element_, STREAM, FAILED, ("what passed was not marked as generated"),
                        ("no aimlvideosrc of this pipeline has delivered a clip with a mark, and the property xmp is "
                         "not set"));
}

} // namespace aimlvideo
