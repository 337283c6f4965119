// SPDX-License-Identifier: LGPL-2.1-or-later
#include "marker.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

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

/// Whether a buffer is a box as another aimlmark adds it.
bool isMark(GstBuffer *buffer) {
  constexpr size_t head = 24; // with the user type
  std::string bytes(gst_buffer_get_size(buffer), '\0');
  if (!beginsWith(buffer, "uuid") || bytes.size() <= head)
    return false;
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  const auto facts = factsIn(bytes.substr(head));
  return facts && isGenerated(facts->sourceType);
}

} // namespace

void Marker::set(const char *packet) {
  const bool isPacket = packet && factsIn(packet);
  if (packet && !isPacket)
    GST_ELEMENT_WARNING(element_, RESOURCE, SETTINGS, ("the property xmp is not taken: it is no XMP packet"),
                        (nullptr));
  const Lock lock(mutex_);
  packet_ = isPacket ? packet : "";
}

std::string Marker::get() const {
  const Lock lock(mutex_);
  return packet_;
}

/// What the sources of the pipeline that the element is in say of their clips.
Marker::Contexts Marker::contexts() const {
  GstObject *top = GST_OBJECT(gst_object_ref(element_));
  while (GstObject *parent = gst_object_get_parent(top)) {
    gst_object_unref(top);
    top = parent;
  }
  Contexts all;
  GList *list = gst_element_get_contexts(GST_ELEMENT(top));
  for (const GList *entry = list; entry; entry = entry->next) {
    auto *context = static_cast<GstContext *>(entry->data);
    if (g_str_has_prefix(gst_context_get_context_type(context), markContext))
      all.emplace_back(gst_context_ref(context));
  }
  g_list_free_full(list, reinterpret_cast<GDestroyNotify>(gst_mini_object_unref));
  gst_object_unref(top);
  return all;
}

/// Makes the mark anew if others speak than before.
void Marker::look() {
  std::string given = get();
  Contexts present = given.empty() ? contexts() : Contexts();
  if (given == given_ && std::ranges::equal(present, seen_))
    return;
  given_ = std::move(given);
  seen_ = std::move(present);
  std::vector<MarkFacts> all;
  for (const auto &context : seen_) {
    const char *packet = gst_structure_get_string(gst_context_get_structure(context.get()), "xmp");
    if (auto facts = packet ? factsIn(packet) : std::nullopt)
      all.push_back(std::move(*facts));
  }
  facts_ = given_.empty() ? together(all) : factsIn(given_).value_or(MarkFacts());
  mark_ = !given_.empty() ? given_ : all.empty() ? "" : markFrom(facts_);
}

void Marker::restart() {
  tagged_.clear();
  started_ = false;
  done_ = false;
  position_ = 0;
  end_ = 0;
}

void Marker::takeCaps(const GstCaps *caps) {
  const GstStructure *structure = gst_caps_get_structure(caps, 0);
  const std::string_view name(gst_structure_get_name(structure));
  constexpr std::string_view movies[] = {"video/quicktime", "audio/x-m4a", "application/x-3gp", "video/mj2"};
  constexpr std::string_view containers[] = {"video/x-matroska",
                                             "audio/x-matroska",
                                             "video/x-matroska-3d",
                                             "video/webm",
                                             "audio/webm",
                                             "video/x-msvideo",
                                             "video/x-flv",
                                             "video/mpegts",
                                             "application/ogg",
                                             "video/ogg",
                                             "audio/ogg",
                                             "application/x-hls",
                                             "video/x-ms-asf",
                                             "audio/x-wav",
                                             "application/mxf",
                                             "video/x-cdxa",
                                             "application/vnd.rn-realmedia"};
  gboolean isSystem = FALSE;
  if (std::ranges::find(movies, name) != std::end(movies))
    medium_ = Medium::Movie;
  else if (name == "image/jpeg")
    medium_ = Medium::Picture;
  else if (std::ranges::find(containers, name) != std::end(containers) ||
           (name == "video/mpeg" && gst_structure_get_boolean(structure, "systemstream", &isSystem) && isSystem))
    medium_ = Medium::Container;
  else
    medium_ = Medium::Stream;
}

/// A muxer goes back to write what it knows at the end only.
void Marker::takeSegment(const GstSegment &segment) {
  if (segment.format == GST_FORMAT_BYTES)
    position_ = segment.start;
}

GstEvent *Marker::takeTags(GstEvent *tags) {
  look();
  return mark_.empty() ? tags : withMark(tags, facts_);
}

GstFlowReturn Marker::pass(GstBuffer *buffer) {
  if (medium_ == Medium::Movie)
    return passMovie(buffer);
  if (medium_ == Medium::Container)
    return gst_pad_push(source_, buffer);
  look();
  pushTags();
  return medium_ == Medium::Picture ? passPicture(buffer) : gst_pad_push(source_, buffer);
}

void Marker::pushTags() {
  if (mark_.empty())
    return; // it may be known later
  std::string line = markLine(facts_);
  if (line == tagged_)
    return;
  tagged_ = std::move(line);
  gst_pad_push_event(source_, gst_event_new_tag(tagsFor(facts_)));
}

GstFlowReturn Marker::pushMovie(GstBuffer *buffer) {
  position_ += gst_buffer_get_size(buffer);
  end_ = std::max(end_, position_);
  return gst_pad_push(source_, buffer);
}

GstFlowReturn Marker::passMovie(GstBuffer *buffer) {
  if (position_ == 0)
    started_ = beginsWith(buffer, "ftyp");
  done_ = done_ || (started_ && isMark(buffer));
  // an index of fragments is looked for at the very end; what it points at is before it
  if (started_ && !done_ && position_ == end_ && beginsWith(buffer, "mfra")) {
    look();
    done_ = !mark_.empty();
    if (const GstFlowReturn flow = done_ ? pushMovie(bufferOf(markBox(mark_))) : GST_FLOW_OK; flow != GST_FLOW_OK) {
      gst_buffer_unref(buffer);
      return flow;
    }
  }
  return pushMovie(buffer);
}

GstFlowReturn Marker::passPicture(GstBuffer *buffer) {
  const std::string segment = mark_.empty() ? "" : markSegment(mark_);
  GstMapInfo map;
  size_t offset = 0;
  if (!segment.empty() && gst_buffer_map(buffer, &map, GST_MAP_READ)) {
    offset = markOffset(map.data, map.size);
    gst_buffer_unmap(buffer, &map);
  }
  if (offset == 0)
    return gst_pad_push(source_, buffer);
  done_ = true;
  GstBuffer *marked = gst_buffer_copy_region(
      buffer, static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_METADATA | GST_BUFFER_COPY_MEMORY), 0, offset);
  marked = gst_buffer_append(marked, gst_buffer_new_memdup(segment.data(), segment.size()));
  marked = gst_buffer_append_region(marked, buffer, static_cast<gssize>(offset), -1); // which takes it over
  return gst_pad_push(source_, marked);
}

void Marker::endStream() {
  look();
  if (medium_ == Medium::Movie && started_ && !done_ && !mark_.empty()) {
    if (position_ != end_) {
      GstSegment behind;
      gst_segment_init(&behind, GST_FORMAT_BYTES);
      behind.start = end_;
      gst_pad_push_event(source_, gst_event_new_segment(&behind));
      position_ = end_;
    }
    done_ = pushMovie(bufferOf(markBox(mark_))) == GST_FLOW_OK;
  }
  if (done_ || (medium_ == Medium::Stream && !tagged_.empty()))
    return;
  const char *why = medium_ == Medium::Container
                        ? "a file of this kind has no place for it: put aimlmark before its muxer"
                    : mark_.empty() ? "no aimlvideosrc of this pipeline has delivered a clip with a mark, and the "
                                      "property xmp is not set"
                    : medium_ == Medium::Picture ? "it is no JPEG, or has XMP of its own"
                                                 : "it does not begin as an MP4 does";
  GST_ELEMENT_WARNING(element_, STREAM, FAILED, ("what passed was not marked as generated"), ("%s", why));
}

} // namespace aimlvideo
