// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gst/gst.h>

#include <aimlvideo/mark.h>

#include "base/mutex.h"

namespace aimlvideo {

/// Beginning of the type of a context with which an aimlvideosrc tells its pipeline the mark of its clip, followed by
/// the path of the element; the field `xmp` has the packet. It stays until the pipeline is in NULL.
constexpr auto markContext = "aimlvideo.mark";

/// The element aimlmark's inside. The GObject functions of aimlmark.cpp only translate.
///
/// Threads: the streaming thread; set() and get() may come from any.
class Marker {
public:
  Marker(GstElement *element, GstPad *source) : element_(element), source_(source) {}

  // any thread
  /// An XMP packet, or null for the marks of the pipeline's sources. What is no packet is warned of and not taken.
  void set(const char *packet) EXCLUDES(mutex_);
  std::string get() const EXCLUDES(mutex_);

  // the streaming thread
  void restart();
  void takeCaps(const GstCaps *caps);
  void takeSegment(const GstSegment &segment);
  /// Takes over the event, and returns what is to go on in its place.
  GstEvent *takeTags(GstEvent *tags) EXCLUDES(mutex_);
  /// Takes over the buffer.
  GstFlowReturn pass(GstBuffer *buffer) EXCLUDES(mutex_);
  /// To be called before the end of the stream goes on.
  void endStream() EXCLUDES(mutex_);

private:
  /// What comes in, and so what becomes of it.
  enum class Medium {
    Stream,    ///< gets tags, for a muxer behind this element to write
    Movie,     ///< what a muxer for MP4 makes: gets a box at its end
    Picture,   ///< a JPEG each: gets a segment, and tags too
    Container, ///< of another kind, which has no place for a mark any more
  };
  struct Unref {
    void operator()(GstContext *context) const { gst_context_unref(context); }
  };
  using Contexts = std::vector<std::unique_ptr<GstContext, Unref>>;

  void look() EXCLUDES(mutex_);
  Contexts contexts() const;
  GstFlowReturn passMovie(GstBuffer *buffer);
  GstFlowReturn passPicture(GstBuffer *buffer);
  GstFlowReturn pushMovie(GstBuffer *buffer);
  void pushTags();

  GstElement *const element_; // owns this
  GstPad *const source_;      // likewise
  Medium medium_ = Medium::Stream;
  bool started_ = false;  ///< a movie's first bytes have passed, and were those of one
  bool done_ = false;     ///< the mark has passed where it belongs
  uint64_t position_ = 0; ///< where the movie's next bytes belong
  uint64_t end_ = 0;      ///< of all that was written
  std::string tagged_;    ///< the line that has passed in tags; empty: none

  // of what was looked at last
  std::string given_;
  Contexts seen_;
  std::string mark_; ///< empty: nobody says anything, or not yet
  MarkFacts facts_;  ///< its

  mutable Mutex mutex_;
  std::string packet_ GUARDED_BY(mutex_);
};

} // namespace aimlvideo
