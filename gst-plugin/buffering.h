// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>

#include <gst/gst.h>

namespace aimlvideo {

/// GST_MESSAGE_BUFFERING while a clip is awaited that a URI asks for: players such as gst-play-1.0 show nothing else of
/// the wait. Whoever gets less than 100 pauses the pipeline, so 100 comes in any case but an error or a return to
/// READY, and a pipeline that is live, or plays something else already, is left alone.
class Buffering {
public:
  explicit Buffering(GstElement *element) : element_(element) {}

  /// The element goes to PAUSED. `wanted`: a URI has made it what it is.
  void begin(bool wanted);
  /// 0 to 99. From any thread, without a lock.
  void update(int percent);
  /// The clip can be read, or will never come. 100, if there was less.
  void end();

private:
  static constexpr int unwanted = 101;
  static constexpr int nothingYet = -1;

  void post(int percent) const;

  GstElement *const element_;
  std::atomic<int> latest_ = unwanted; ///< that was posted
};

} // namespace aimlvideo
