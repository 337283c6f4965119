// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <gst/base/gstbasesrc.h>

#include <aimlvideo/job.h>

#include "base/mutex.h"
#include "buffering.h"
#include "bus.h"
#include "properties.h"

namespace aimlvideo {

/// The element's inside. The GObject functions of aimlvideosrc.cpp only translate.
///
/// Threads: the application's (state changes, send_event), the streaming thread (create) and the job's (the observer's
/// calls). `mutex_` guards what they share and is never held while posting, calling the job or a pad.
class Source final : public JobObserver {
public:
  explicit Source(GstBaseSrc *element)
      : element_(element), bus_(GST_ELEMENT(element)), buffering_(GST_ELEMENT(element)) {}

  // any thread
  /// Whether the property has another value now, as far as that can be told. `name` is its name.
  bool set(Property property, const char *name, const GValue *value) EXCLUDES(mutex_);
  bool get(Property property, GValue *value) const EXCLUDES(mutex_);
  bool setUri(const char *uri, GError **error) EXCLUDES(mutex_);
  std::string uri() const EXCLUDES(mutex_);
  gint64 size() const { return size_; }

  // the application's thread
  bool validate() const EXCLUDES(mutex_);
  bool checkLink() const;
  void enterPaused() EXCLUDES(mutex_);
  void leavePaused() EXCLUDES(mutex_);
  void endOfStreamComes() EXCLUDES(mutex_);

  // the streaming thread
  GstFlowReturn create(guint64 offset, guint length, GstBuffer **buffer) EXCLUDES(mutex_);
  void setFlushing(bool flushing) EXCLUDES(mutex_);

  // the job's thread
  void stateChanged(const Status &status) override;
  void progressed(const Status &status, const std::string &note) override;
  void arriving(const Status &status, const std::shared_ptr<Spool> &clip) override;
  void completed(const Status &status) override;
  void failed(const Status &status, const Error &error) override;
  void logged(LogLevel level, const std::string &line) override;
  void warned(const std::string &text) override;

private:
  static constexpr gint64 unknownSize = -1;

  enum class Outcome {
    Pending,
    Arriving, ///< the clip can be read while it is being fetched
    Complete,
    DryRun, ///< nothing was bought, so there is nothing to read
    Failed,
    Cancelled
  };

  bool locked() const;
  void warnOfWhatGoesOn(const Status &last) const;
  bool cancelJob() EXCLUDES(mutex_);
  void advance(Outcome outcome) EXCLUDES(mutex_);
  bool readable() const { return outcome_ == Outcome::Arriving || outcome_ == Outcome::Complete; }
  bool unlockedSince(unsigned entry) const { return flushing_ || unlocks_ != entry; }
  GstFlowReturn flowWithoutClip(unsigned entry) const;
  std::shared_ptr<Spool> waitForClip(unsigned entry, GstFlowReturn &flow) EXCLUDES(mutex_);
  GstFlowReturn endOfClip(unsigned entry) EXCLUDES(mutex_);
  bool learnSize(const Spool &clip);
  Status status() const EXCLUDES(mutex_);

  GstBaseSrc *const element_; // owns this
  Bus bus_;
  Buffering buffering_;
  std::string notifiedId_;                 ///< of the property current-generation-id; the job's thread
  std::atomic<gint64> size_ = unknownSize; ///< of the clip, once it is known

  mutable Mutex mutex_;
  Condition changed_;
  ElementSettings settings_ GUARDED_BY(mutex_);
  std::atomic<bool> flushing_ = false; ///< changed under the lock, and read by a wait for the clip as well
  std::atomic<unsigned> unlocks_ = 0;  ///< likewise: calls of unlock() so far
  bool jobStarted_ GUARDED_BY(mutex_) = false;
  std::atomic<Outcome> outcome_ = Outcome::Pending; ///< likewise
  std::shared_ptr<Spool> clip_ GUARDED_BY(mutex_);
  std::shared_ptr<Job> job_ GUARDED_BY(mutex_);
  int64_t ledgerRow_ GUARDED_BY(mutex_) = 0; ///< of the previous run, which the next one resumes
  State finalState_ GUARDED_BY(mutex_) = State::Idle;
};

} // namespace aimlvideo
