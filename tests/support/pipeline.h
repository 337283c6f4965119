// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "support/test_server.h"

namespace aimlvideo::test {

/// Something that happened, in the order in which it happened.
struct Event {
  std::string what;   ///< `progress-start`, `progress-continue`, `progress-complete`, `progress-error`,
                      ///< `progress-canceled`, `error`, `warning`, `element`, `tag`, `duration-changed`, `eos`,
                      ///< `async-done`, `buffering`, `buffer` (the first after start or flush on the source's pad)
  std::string source; ///< name of the element that posted
  std::string text;   ///< of an error, a warning or a progress message
  std::string debug;  ///< likewise: file, line, function, element, cause
  std::string domain; ///< of an error: `gst-resource-error-quark`, ...
  int code = 0;
  GstStructure *structure = nullptr; ///< owned by the Pipeline: details of an error, structure of the message
};

/// A real pipeline made from a gst-launch line, with all that it says recorded.
///
/// `src` in the line is the element under test: `SRC` is replaced by an aimlvideosrc of that name which talks to the
/// given service.
class Pipeline {
public:
  Pipeline(const FakeService &service, const std::string &line);
  /// A line without SRC, that may make its own source later on.
  explicit Pipeline(const std::string &line);
  Pipeline(const Pipeline &) = delete;
  Pipeline &operator=(const Pipeline &) = delete;
  ~Pipeline();

  GstElement *pipeline() const { return pipeline_; }
  GstElement *source() const { return source_; } ///< null: it was made with a line without SRC

  GstStateChangeReturn setState(GstState state) { return gst_element_set_state(pipeline_, state); }

  /// Blocks until such an event has happened; fails the test after 50 s.
  Event waitFor(const std::string &what) const;
  Event waitFor(const std::string &what, const std::function<bool(const Event &)> &that) const;
  bool happened(const std::string &what) const { return count(what) > 0; }
  size_t count(const std::string &what) const;
  std::vector<Event> events() const;
  /// The position of the first such event. Fails the test if there is none.
  size_t position(const std::string &what) const;
  void forgetEvents();

  /// Bytes that left the source's pad.
  guint64 bytes() const;
  /// Of the clip with the mark behind it, by the source's own word.
  guint64 size() const;

private:
  void make(const std::string &line);
  void record(Event event);
  void record(GstMessage *message);

  GstElement *pipeline_ = nullptr;
  GstElement *source_ = nullptr;
  mutable std::mutex mutex_;
  mutable std::condition_variable happened_;
  std::vector<Event> events_;
  guint64 bytes_ = 0;
  bool sawBuffer_ = false;
};

/// The bytes of a clip that the build made: `faststart`, `moov-last` or `fragmented`.
std::string clipNamed(const std::string &layout);

} // namespace aimlvideo::test
