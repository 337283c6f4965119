// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>

#include <gst/gst.h>

#include <aimlvideo/error.h>
#include <aimlvideo/status.h>

namespace aimlvideo {

/// What the element says on the bus. Nothing here holds a lock while it posts.
class Bus {
public:
  explicit Bus(GstElement *element) : element_(element) {}

  /// Posts the error once, with its details as a structure.
  void error(const Error &error) const;
  void warning(const std::string &text, const std::string &debug) const;
  /// `aimlvideo-generation`, at each change of state and now and then during the download.
  void generation(const Status &status) const;
  void durationChanged() const;
  /// `mark`: of the clip; empty: it has none.
  void tags(const Status &status, const std::string &title, const std::string &mark) const;
  /// Tells the pipeline the mark of the clip, for an aimlmark in it.
  void mark(const std::string &mark) const;

  /// GST_MESSAGE_PROGRESS with the code `generate`: one START, any number of CONTINUE, one end.
  void progressStarted(const std::string &text);
  void progressContinued(const Status &status, const std::string &note);
  /// False: it had ended before.
  bool progressEnded(GstProgressType end, const std::string &text);

private:
  void progress(GstProgressType type, const std::string &text, int percent) const;

  GstElement *element_;
  std::atomic<bool> progressOpen_ = false;
  std::atomic<bool> saidHowToGoOn_ = false;
};

/// The structure of the property `statistics`. Owned by the caller.
GstStructure *statisticsOf(const Status &status);

/// The code in the GST_RESOURCE_ERROR domain for an error of the engine.
GstResourceError resourceErrorFor(ErrorKind kind);

} // namespace aimlvideo
