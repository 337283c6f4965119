// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source.h"

#include <aimlvideo/printable.h>

#include "clip_buffer.h"
#include "engine_log.h"
#include "recipient.h"
#include "uri_handler.h"

GST_DEBUG_CATEGORY_EXTERN(aimlvideosrc_debug);
#define GST_CAT_DEFAULT aimlvideosrc_debug

namespace aimlvideo {

bool Source::set(Property property, const char *name, const GValue *value) {
  if (locked()) {
    bus_.warning(std::string("The property ") + name +
                     " of aimlvideosrc was not changed: it can be set only in NULL or READY.",
                 "set the element to READY first");
    return false;
  }
  const Lock lock(mutex_);
  return setProperty(settings_, property, value);
}

bool Source::setUri(const char *uri, GError **error) {
  if (locked()) {
    setUriError(error, GST_URI_ERROR_BAD_STATE,
                failure(ErrorKind::BadRequest, "the URI of aimlvideosrc was not changed", "the element is running",
                        "Set it to READY first")
                    .value());
    return false;
  }
  const Lock lock(mutex_);
  const auto taken = aimlvideo::setUri(settings_, uri);
  if (!taken)
    setUriError(error, GST_URI_ERROR_BAD_URI, taken.error());
  return taken.has_value();
}

std::string Source::uri() const {
  const Lock lock(mutex_);
  return settings_.uriAsSet;
}

bool Source::locked() const {
  GST_OBJECT_LOCK(element_);
  const bool locked = GST_STATE(element_) > GST_STATE_READY || GST_STATE_PENDING(element_) > GST_STATE_READY;
  GST_OBJECT_UNLOCK(element_);
  return locked;
}

bool Source::get(Property property, GValue *value) const {
  switch (property) {
  case Property::CurrentGenerationId: {
    const std::string id = status().generationId;
    g_value_set_string(value, id.empty() ? nullptr : id.c_str());
    return true;
  }
  case Property::Status:
    g_value_set_enum(value, static_cast<gint>(status().state));
    return true;
  case Property::Statistics:
    g_value_take_boxed(value, statisticsOf(status()));
    return true;
  default: {
    const Lock lock(mutex_);
    return getProperty(settings_, property, value);
  }
  }
}

Status Source::status() const {
  std::shared_ptr<Job> job;
  State finalState = State::Idle;
  {
    const Lock lock(mutex_);
    job = job_;
    finalState = finalState_;
  }
  Status status = job ? job->status() : Status{};
  if (finalState != State::Idle)
    status.state = finalState;
  return status;
}

bool Source::validate() const {
  Settings settings;
  {
    const Lock lock(mutex_);
    settings = settings_;
  }
  const auto checked = checkSettings(settings);
  if (!checked)
    bus_.error(checked.error());
  return checked.has_value();
}

/// Whether there is somebody to buy for; an error on the bus otherwise.
bool Source::checkLink() const {
  if (gst_pad_is_linked(GST_BASE_SRC_PAD(element_)))
    return true;
  const auto error = failure(ErrorKind::BadRequest, "the source pad is not linked", "nothing would play the clip",
                             "Link the element before it goes to PAUSED; nothing was bought");
  bus_.error(error.value());
  return false;
}

void Source::enterPaused() {
  ElementSettings settings;
  int64_t ownRow = 0;
  {
    const Lock lock(mutex_);
    if (jobStarted_)
      return;
    jobStarted_ = true;
    finalState_ = State::Idle;
    settings = settings_;
    ownRow = ledgerRow_;
  }
  settings.recipient = recipientBehind(GST_BASE_SRC_PAD(element_));
  bus_.progressStarted("starting the generation");
  buffering_.begin(!settings.uriAsSet.empty());
  const auto job = Job::start(std::move(settings), ownRow, *this);
  bool late = false;
  {
    const Lock lock(mutex_);
    job_ = job;
    late = outcome_ == Outcome::Cancelled;
  }
  if (late)
    job->stop();
}

void Source::leavePaused() {
  Status last;
  {
    const Lock lock(mutex_);
    if (job_)
      last = job_->status();
  }
  if (cancelJob())
    warnOfWhatGoesOn(last);
  const Lock lock(mutex_);
  jobStarted_ = false;
  outcome_ = Outcome::Pending;
  clip_.reset();
  size_ = unknownSize;
}

/// Ends the job, which may have ended before. True: it was still at work.
bool Source::cancelJob() {
  std::shared_ptr<Job> job;
  {
    const Lock lock(mutex_);
    job = job_;
    if (outcome_ == Outcome::Pending && jobStarted_)
      outcome_ = Outcome::Cancelled;
  }
  if (job)
    job->stop();
  const bool wasOpen = bus_.progressEnded(GST_PROGRESS_TYPE_CANCELED, "the generation was interrupted");
  const Lock lock(mutex_);
  if (job)
    ledgerRow_ = job->row();
  if (outcome_ == Outcome::Cancelled || outcome_ == Outcome::Arriving)
    finalState_ = State::Cancelled;
  return wasOpen;
}

/// What was under way when the element was stopped, and how its user gets the clip.
void Source::warnOfWhatGoesOn(const Status &last) const {
  const bool paid = last.state == State::Queued || last.state == State::Generating || last.state == State::Downloading;
  const bool perhapsPaid = last.state == State::Submitting || last.state == State::LookingUp;
  if (!paid && !perhapsPaid)
    return;
  std::string text = "The generation was interrupted. ";
  if (paid)
    text += "It is paid for and goes on at the service: the same request again gets its clip and buys nothing, and so "
            "does generation-id=" +
            printable(last.generationId) + ". `aimlvideo jobs` lists it.";
  else
    text += "It may be paid for: the same request again finds that out, and buys nothing twice. `aimlvideo jobs` lists "
            "it.";
  bus_.warning(text, "stopped before the clip arrived");
}

/// An EOS that an application sends. While there is no clip yet, nothing else would end the generation. This speaks
/// before anything lets a streaming thread go on, also one that comes only now: the end of the stream, or the error of
/// a demuxer that got nothing, may end the application, which then would not hear what it has paid for.
void Source::endOfStreamComes() {
  {
    const Lock lock(mutex_);
    if (outcome_ != Outcome::Pending || !jobStarted_)
      return;
  }
  const std::string id = status().generationId;
  std::string text = "The generation was interrupted by EOS, there is no data.";
  if (!id.empty())
    text += " It continues at the service: generation-id=" + id + " fetches it.";
  bus_.warning(text, "EOS before the clip arrived");
  if (!cancelJob())
    return;
  bus_.generation(status());
  buffering_.end();
}

void Source::setFlushing(bool flushing) {
  std::shared_ptr<Spool> clip;
  {
    const Lock lock(mutex_);
    flushing_ = flushing;
    unlocks_ += flushing ? 1 : 0;
    clip = clip_;
  }
  changed_.notifyAll();
  if (clip)
    clip->wake();
}

/// Why create() has nothing to read.
GstFlowReturn Source::flowWithoutClip(unsigned entry) const {
  if (unlockedSince(entry))
    return GST_FLOW_FLUSHING;
  return outcome_ == Outcome::Failed ? GST_FLOW_ERROR : GST_FLOW_EOS;
}

/// Blocks until the clip can be read, and says why it can not otherwise. The job goes on through a flush.
std::shared_ptr<Spool> Source::waitForClip(unsigned entry, GstFlowReturn &flow) {
  Lock lock(mutex_);
  while (!unlockedSince(entry) && outcome_ == Outcome::Pending)
    changed_.wait(lock);
  if (!unlockedSince(entry) && readable())
    return clip_;
  flow = flowWithoutClip(entry);
  return nullptr;
}

/// When a pad that is pulled from is deactivated, the base class calls unlock() and unlock_stop() at once, before a
/// thread that waits here can have woken up. So it is the number of unlock()s that ends a wait; and a thread that was
/// on its way here meanwhile finds the pad flushing, which it was before the first of them.
GstFlowReturn Source::create(guint64 offset, guint length, GstBuffer **buffer) {
  const unsigned entry = unlocks_;
  GstBaseSrc *base = GST_BASE_SRC(element_);
  GstPad *pad = GST_BASE_SRC_PAD(base);
  GST_OBJECT_LOCK(pad);
  const bool flushing = GST_PAD_IS_FLUSHING(pad);
  // a demuxer that pulls takes less than it asked for as the end
  const bool pulled = GST_PAD_MODE(pad) == GST_PAD_MODE_PULL;
  GST_OBJECT_UNLOCK(pad);
  if (flushing)
    return GST_FLOW_FLUSHING;
  GstFlowReturn flow = GST_FLOW_OK;
  const auto clip = waitForClip(entry, flow);
  if (!clip)
    return flow;
  const auto arrival = clip->await({offset, length, pulled ? Spool::Amount::Whole : Spool::Amount::Any},
                                   [&] { return unlockedSince(entry) || !readable(); });
  const bool late = size_ == unknownSize;
  if (learnSize(*clip)) {
    if (late)
      bus_.durationChanged();
    // the base class asks for the size at its start only, and reads the segment in this thread
    GST_OBJECT_LOCK(base);
    base->segment.duration = size_;
    GST_OBJECT_UNLOCK(base);
  }
  switch (arrival.kind) {
  case Spool::Arrival::Kind::Stopped:
    return flowWithoutClip(entry);
  case Spool::Arrival::Kind::End:
    return pulled ? GST_FLOW_EOS : endOfClip(entry);
  case Spool::Arrival::Kind::There:
    break;
  }
  const auto filled = bufferFrom(*clip, offset, arrival.size, *buffer);
  if (!filled) {
    bus_.error(filled.error());
    return GST_FLOW_ERROR;
  }
  *buffer = *filled;
  return GST_FLOW_OK;
}

/// The end of what is pushed. It is reported when the download has ended well, so that no fault comes after it.
GstFlowReturn Source::endOfClip(unsigned entry) {
  Lock lock(mutex_);
  while (!unlockedSince(entry) && outcome_ == Outcome::Arriving)
    changed_.wait(lock);
  return !unlockedSince(entry) && readable() ? GST_FLOW_EOS : flowWithoutClip(entry);
}

bool Source::learnSize(const Spool &clip) {
  const auto size = clip.size();
  if (size)
    size_ = static_cast<gint64>(*size);
  return size.has_value();
}

void Source::advance(Outcome outcome) {
  std::shared_ptr<Spool> clip;
  {
    const Lock lock(mutex_);
    if (outcome_ == Outcome::Pending || outcome_ == Outcome::Arriving)
      outcome_ = outcome;
    clip = clip_;
  }
  changed_.notifyAll();
  if (clip)
    clip->wake();
}

void Source::stateChanged(const Status &status) {
  GST_INFO_OBJECT(element_, "%s, generation %s", nameOf(status.state), printable(status.generationId).c_str());
  bus_.generation(status);
  bus_.progressContinued(status, "");
  buffering_.update(status.percent().value_or(0));
  g_object_notify(G_OBJECT(element_), "status");
  if (notifiedId_ != status.generationId) {
    notifiedId_ = status.generationId;
    g_object_notify(G_OBJECT(element_), "current-generation-id");
  }
  g_object_notify(G_OBJECT(element_), "statistics");
}

void Source::progressed(const Status &status, const std::string &note) {
  bus_.progressContinued(status, note);
  buffering_.update(status.percent().value_or(0));
  if (status.state != State::Downloading || !note.empty())
    return;
  bus_.generation(status);
  g_object_notify(G_OBJECT(element_), "statistics");
}

void Source::arriving(const Status &status, const std::shared_ptr<Spool> &clip) {
  std::string title;
  std::string mark;
  {
    const Lock lock(mutex_);
    if (settings_.mark != Mark::None)
      mark = clip->mark();
    if (settings_.promptTag)
      title = status.prompt;
    clip_ = clip;
  }
  if (!mark.empty())
    bus_.mark(mark);
  bus_.tags(status, title, mark);
  if (learnSize(*clip))
    bus_.durationChanged();
  bus_.progressEnded(GST_PROGRESS_TYPE_COMPLETE, "the clip is ready");
  buffering_.end();
  g_object_notify(G_OBJECT(element_), "statistics");
  advance(Outcome::Arriving);
}

void Source::completed(const Status &status) {
  std::shared_ptr<Spool> clip;
  {
    const Lock lock(mutex_);
    clip = clip_;
  }
  if (!clip) { // a dry run
    bus_.generation(status);
    bus_.progressEnded(GST_PROGRESS_TYPE_COMPLETE, "the dry run has ended, nothing was bought");
    buffering_.end();
    g_object_notify(G_OBJECT(element_), "status");
    return advance(Outcome::DryRun);
  }
  const bool late = size_ == unknownSize;
  if (learnSize(*clip) && late)
    bus_.durationChanged();
  GST_INFO_OBJECT(element_, "generation %s completed, %" G_GINT64_FORMAT " bytes",
                  printable(status.generationId).c_str(), size_.load());
  bus_.generation(status);
  g_object_notify(G_OBJECT(element_), "status");
  g_object_notify(G_OBJECT(element_), "statistics");
  advance(Outcome::Complete);
}

void Source::failed(const Status &status, const Error &error) {
  GST_WARNING_OBJECT(element_, "%s", error.text().c_str());
  bus_.generation(status);
  bus_.error(error);
  bus_.progressEnded(GST_PROGRESS_TYPE_ERROR, printable(error.what));
  g_object_notify(G_OBJECT(element_), "status");
  advance(Outcome::Failed);
}

void Source::logged(LogLevel level, const std::string &line) {
  GST_CAT_LEVEL_LOG(GST_CAT_DEFAULT, debugLevelOf(level), element_, "%s", line.c_str());
}

void Source::warned(const std::string &text) {
  bus_.warning(text, "the request is sent anyway");
}

} // namespace aimlvideo
