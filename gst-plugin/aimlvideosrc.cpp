// SPDX-License-Identifier: LGPL-2.1-or-later
/**
 * SECTION:element-aimlvideosrc
 * @title: aimlvideosrc
 * @short_description: a source whose video a model generates from a prompt and an image
 *
 * aimlvideosrc submits a generation to the AI/ML API, waits for it, fetches the clip, an MP4, and delivers it like any
 * file or network source: seekable, in push and in pull mode.
 *
 * A generation takes minutes and costs money. It starts when the element goes to PAUSED with its source pad linked,
 * goes on through flushes and seeks, and ends with the element's return to READY; what was bought by then stays at the
 * service and is continued, not bought again, when the same element goes to PAUSED again with the same settings.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 aimlvideosrc prompt="Mona Lisa puts on glasses" image=mona.jpg ! decodebin ! autovideosink
 * ]|
 *
 * It plays URIs such as `aimlvideo://klingai/video-v2-6-pro-text-to-video?prompt=A%20cat`. A URI alone plays what is
 * bought already, and buys what the environment variable AIMLVIDEO_URI_MAX_COST or an application allows.
 *
 * Since: 0.1
 */
#include "aimlvideosrc.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "bus.h"
#include "clip_buffer.h"
#include "generation/job.h"
#include "preset.h"
#include "properties.h"
#include "uri_handler.h"

GST_DEBUG_CATEGORY_STATIC(aimlvideosrc_debug);
#define GST_CAT_DEFAULT aimlvideosrc_debug

namespace aimlvideo {

namespace {

constexpr gint64 unknownSize = -1;

/// The element's inside. The GObject functions below only translate.
///
/// Threads: the application's (state changes, send_event), the streaming thread (create) and the job's (the observer's
/// calls). `mutex_` guards what they share and is never held while posting, calling the job or a pad.
class Source final : public JobObserver {
public:
  explicit Source(GstAimlVideoSrc *element) : element_(element), bus_(GST_ELEMENT(element)) {}

  // any thread
  void set(Property property, const GValue *value);
  bool get(Property property, GValue *value) const;
  bool setUri(const char *uri, GError **error);
  std::string uri() const;
  gint64 size() const { return size_; }

  // the application's thread
  bool validate() const;
  bool checkLink() const;
  void enterPaused();
  void leavePaused();
  void endOfStreamSent();

  // the streaming thread
  GstFlowReturn create(guint64 offset, guint length, GstBuffer **buffer);
  void setFlushing(bool flushing);

  // the job's thread
  void stateChanged(const Status &status) override;
  void progressed(const Status &status, const std::string &note) override;
  void arriving(const Status &status, const std::shared_ptr<Spool> &clip) override;
  void completed(const Status &status) override;
  void failed(const Status &status, const Error &error) override;
  void logged(const std::string &line) override;
  void warned(const std::string &text) override;

private:
  enum class Outcome {
    Pending,
    Arriving, ///< the clip can be read while it is being fetched
    Complete,
    DryRun, ///< nothing was bought, so there is nothing to read
    Failed,
    Cancelled
  };

  bool locked() const;
  bool cancelJob();
  void advance(Outcome outcome);
  bool readable() const { return outcome_ == Outcome::Arriving || outcome_ == Outcome::Complete; }
  bool unlockedSince(unsigned entry) const { return flushing_ || unlocks_ != entry; }
  GstFlowReturn flowWithoutClip(unsigned entry) const;
  std::shared_ptr<Spool> waitForClip(unsigned entry, GstFlowReturn &flow);
  GstFlowReturn endOfClip(unsigned entry);
  bool learnSize(const Spool &clip);
  Status status() const;

  GstAimlVideoSrc *const element_; // owns this
  Bus bus_;
  std::atomic<gint64> size_ = unknownSize; ///< of the clip, once it is known

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ElementSettings settings_;
  std::atomic<bool> flushing_ = false; ///< changed under the lock, and read by a wait for the clip as well
  std::atomic<unsigned> unlocks_ = 0;  ///< likewise: calls of unlock() so far
  bool jobStarted_ = false;
  std::atomic<Outcome> outcome_ = Outcome::Pending; ///< likewise
  std::shared_ptr<Spool> clip_;
  std::shared_ptr<Job> job_;
  int64_t ledgerRow_ = 0; ///< of the previous run, which the next one goes on with
  State finalState_ = State::Idle;
};

void Source::set(Property property, const GValue *value) {
  if (locked()) {
    bus_.warning(std::string("A property of aimlvideosrc was not changed: ") + "it can be set up to READY only.",
                 "set the element to READY first");
    return;
  }
  const std::lock_guard lock(mutex_);
  setProperty(settings_, property, value);
}

bool Source::setUri(const char *uri, GError **error) {
  if (locked()) {
    setUriError(error, GST_URI_ERROR_BAD_STATE,
                failure(ErrorKind::BadRequest, "the URI of aimlvideosrc was not changed", "the element is running",
                        "Set it to READY first")
                    .value());
    return false;
  }
  const std::lock_guard lock(mutex_);
  const auto taken = aimlvideo::setUri(settings_, uri);
  if (!taken)
    setUriError(error, GST_URI_ERROR_BAD_URI, taken.error());
  return taken.has_value();
}

std::string Source::uri() const {
  const std::lock_guard lock(mutex_);
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
    const std::lock_guard lock(mutex_);
    return getProperty(settings_, property, value);
  }
  }
}

Status Source::status() const {
  std::shared_ptr<Job> job;
  State finalState = State::Idle;
  {
    const std::lock_guard lock(mutex_);
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
    const std::lock_guard lock(mutex_);
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
    const std::lock_guard lock(mutex_);
    if (jobStarted_)
      return;
    jobStarted_ = true;
    finalState_ = State::Idle;
    settings = settings_;
    ownRow = ledgerRow_;
  }
  bus_.progressStarted("starting the generation");
  auto job = Job::start(std::move(settings), ownRow, *this);
  if (!job) {
    failed(Status{}, job.error());
    return;
  }
  bool late = false;
  {
    const std::lock_guard lock(mutex_);
    job_ = *job;
    late = outcome_ == Outcome::Cancelled;
  }
  if (late)
    (*job)->stop();
}

void Source::leavePaused() {
  cancelJob();
  const std::lock_guard lock(mutex_);
  jobStarted_ = false;
  outcome_ = Outcome::Pending;
  clip_.reset();
  size_ = unknownSize;
}

/// Ends the job, which may have ended before. True: it was still at work.
bool Source::cancelJob() {
  std::shared_ptr<Job> job;
  {
    const std::lock_guard lock(mutex_);
    job = job_;
    if (outcome_ == Outcome::Pending && jobStarted_)
      outcome_ = Outcome::Cancelled;
  }
  if (job)
    job->stop();
  const bool wasOpen = bus_.progressEnded(GST_PROGRESS_TYPE_CANCELED, "the generation was interrupted");
  const std::lock_guard lock(mutex_);
  if (job)
    ledgerRow_ = job->row();
  if (outcome_ == Outcome::Cancelled || outcome_ == Outcome::Arriving)
    finalState_ = State::Cancelled;
  return wasOpen;
}

/// An EOS that an application sent. The base class has stopped the streaming thread; while there is no clip yet,
/// nothing else would end the generation.
void Source::endOfStreamSent() {
  {
    const std::lock_guard lock(mutex_);
    if (outcome_ != Outcome::Pending || !jobStarted_)
      return;
  }
  if (!cancelJob())
    return;
  const Status current = status();
  std::string text = "The generation was interrupted by EOS, there is no data.";
  if (!current.generationId.empty())
    text += " It goes on at the service: generation-id=" + current.generationId + " fetches it.";
  bus_.warning(text, "EOS before the clip was there");
  bus_.generation(current);
  changed_.notify_all();
}

void Source::setFlushing(bool flushing) {
  std::shared_ptr<Spool> clip;
  {
    const std::lock_guard lock(mutex_);
    flushing_ = flushing;
    unlocks_ += flushing ? 1 : 0;
    clip = clip_;
  }
  changed_.notify_all();
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
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return unlockedSince(entry) || outcome_ != Outcome::Pending; });
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
  if (learnSize(*clip)) {
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

/// The end of what is pushed. It is told when the download has ended well, so that no fault comes after it.
GstFlowReturn Source::endOfClip(unsigned entry) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return unlockedSince(entry) || outcome_ != Outcome::Arriving; });
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
    const std::lock_guard lock(mutex_);
    if (outcome_ == Outcome::Pending || outcome_ == Outcome::Arriving)
      outcome_ = outcome;
    clip = clip_;
  }
  changed_.notify_all();
  if (clip)
    clip->wake();
}

void Source::stateChanged(const Status &status) {
  GST_INFO_OBJECT(element_, "%s, generation %s", nameOf(status.state), status.generationId.c_str());
  bus_.generation(status);
  bus_.progressContinued(status, "");
  for (const char *name : {"status", "current-generation-id", "statistics"})
    g_object_notify(G_OBJECT(element_), name);
}

void Source::progressed(const Status &status, const std::string &note) {
  bus_.progressContinued(status, note);
  if (status.state != State::Downloading || !note.empty())
    return;
  bus_.generation(status);
  g_object_notify(G_OBJECT(element_), "statistics");
}

void Source::arriving(const Status &status, const std::shared_ptr<Spool> &clip) {
  std::string title;
  {
    const std::lock_guard lock(mutex_);
    if (settings_.promptTag)
      title = status.prompt;
    clip_ = clip;
  }
  bus_.tags(status, title);
  if (learnSize(*clip))
    bus_.durationChanged();
  bus_.progressEnded(GST_PROGRESS_TYPE_COMPLETE, "the clip is there");
  g_object_notify(G_OBJECT(element_), "statistics");
  advance(Outcome::Arriving);
}

void Source::completed(const Status &status) {
  std::shared_ptr<Spool> clip;
  {
    const std::lock_guard lock(mutex_);
    clip = clip_;
  }
  if (!clip) { // a dry run
    bus_.generation(status);
    bus_.progressEnded(GST_PROGRESS_TYPE_COMPLETE, "the dry run has ended, nothing was bought");
    g_object_notify(G_OBJECT(element_), "status");
    return advance(Outcome::DryRun);
  }
  const bool late = size_ == unknownSize;
  if (learnSize(*clip) && late)
    bus_.durationChanged();
  GST_INFO_OBJECT(element_, "generation %s completed, %" G_GINT64_FORMAT " bytes", status.generationId.c_str(),
                  size_.load());
  bus_.generation(status);
  g_object_notify(G_OBJECT(element_), "status");
  g_object_notify(G_OBJECT(element_), "statistics");
  advance(Outcome::Complete);
}

void Source::failed(const Status &status, const Error &error) {
  GST_WARNING_OBJECT(element_, "%s", error.text().c_str());
  bus_.generation(status);
  bus_.error(error);
  bus_.progressEnded(GST_PROGRESS_TYPE_ERROR, error.what);
  g_object_notify(G_OBJECT(element_), "status");
  advance(Outcome::Failed);
}

void Source::logged(const std::string &line) {
  GST_INFO_OBJECT(element_, "%s", line.c_str());
}

void Source::warned(const std::string &text) {
  GST_WARNING_OBJECT(element_, "%s", text.c_str());
  bus_.warning(text, "the request is sent all the same");
}

} // namespace

} // namespace aimlvideo

using aimlvideo::Property;
using aimlvideo::Source;

struct _GstAimlVideoSrc {
  GstBaseSrc parent;
  Source *source;
};

static GstStaticPadTemplate sourceTemplate =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

static void gst_aiml_video_src_preset_init(gpointer iface, gpointer) {
  aimlvideo::initPresetInterface(static_cast<GstPresetInterface *>(iface));
}

static GstURIType gst_aiml_video_src_uri_type(GType) {
  return GST_URI_SRC;
}

static const gchar *const *gst_aiml_video_src_uri_protocols(GType) {
  return aimlvideo::uriProtocols();
}

static gchar *gst_aiml_video_src_get_uri(GstURIHandler *handler) {
  const std::string uri = GST_AIML_VIDEO_SRC(handler)->source->uri();
  return uri.empty() ? nullptr : g_strdup(uri.c_str());
}

static gboolean gst_aiml_video_src_set_uri(GstURIHandler *handler, const gchar *uri, GError **error) {
  return GST_AIML_VIDEO_SRC(handler)->source->setUri(uri, error);
}

static void gst_aiml_video_src_uri_init(gpointer iface, gpointer) {
  auto *handler = static_cast<GstURIHandlerInterface *>(iface);
  handler->get_type = gst_aiml_video_src_uri_type;
  handler->get_protocols = gst_aiml_video_src_uri_protocols;
  handler->get_uri = gst_aiml_video_src_get_uri;
  handler->set_uri = gst_aiml_video_src_set_uri;
}

G_DEFINE_FINAL_TYPE_WITH_CODE(GstAimlVideoSrc, gst_aiml_video_src, GST_TYPE_BASE_SRC,
                              G_IMPLEMENT_INTERFACE(GST_TYPE_PRESET, gst_aiml_video_src_preset_init)
                                  G_IMPLEMENT_INTERFACE(GST_TYPE_URI_HANDLER, gst_aiml_video_src_uri_init))
// Source/Network/Video or a rank would make autovideosrc start a generation where somebody wanted a camera
GST_ELEMENT_REGISTER_DEFINE(aimlvideosrc, "aimlvideosrc", GST_RANK_NONE, GST_TYPE_AIML_VIDEO_SRC)

// The base class asks downstream where to allocate whenever a link changes. A queue that has seen the end of its stream
// never answers, so that a demuxer which is done early would leave this element waiting for ever. The bytes of a clip
// come from its file in any case.
static GstPadProbeReturn gst_aiml_video_src_keep_allocation_query(GstPad *, GstPadProbeInfo *info, gpointer) {
  return GST_QUERY_TYPE(GST_PAD_PROBE_INFO_QUERY(info)) == GST_QUERY_ALLOCATION ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

static void gst_aiml_video_src_init(GstAimlVideoSrc *self) {
  self->source = new Source(self);
  GstBaseSrc *base = GST_BASE_SRC(self);
  gst_base_src_set_format(base, GST_FORMAT_BYTES);
  // the size is learnt late; create() knows where the clip ends
  gst_base_src_set_automatic_eos(base, FALSE);
  gst_base_src_set_blocksize(base, 512 * 1024);
  gst_pad_add_probe(GST_BASE_SRC_PAD(base), GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM,
                    gst_aiml_video_src_keep_allocation_query, nullptr, nullptr);
}

static void gst_aiml_video_src_finalize(GObject *object) {
  delete GST_AIML_VIDEO_SRC(object)->source;
  G_OBJECT_CLASS(gst_aiml_video_src_parent_class)->finalize(object);
}

static void gst_aiml_video_src_set_property(GObject *object, guint id, const GValue *value, GParamSpec *) {
  GST_AIML_VIDEO_SRC(object)->source->set(static_cast<Property>(id), value);
}

static void gst_aiml_video_src_get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
  if (!GST_AIML_VIDEO_SRC(object)->source->get(static_cast<Property>(id), value))
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static GstStateChangeReturn gst_aiml_video_src_change_state(GstElement *element, GstStateChange transition) {
  Source *source = GST_AIML_VIDEO_SRC(element)->source;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !source->checkLink())
    return GST_STATE_CHANGE_FAILURE;
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(gst_aiml_video_src_parent_class)->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && result != GST_STATE_CHANGE_FAILURE)
    source->enterPaused();
  else if (transition == GST_STATE_CHANGE_PAUSED_TO_READY)
    source->leavePaused();
  return result;
}

static gboolean gst_aiml_video_src_send_event(GstElement *element, GstEvent *event) {
  const bool endOfStream = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
  const gboolean handled = GST_ELEMENT_CLASS(gst_aiml_video_src_parent_class)->send_event(element, event);
  if (endOfStream)
    GST_AIML_VIDEO_SRC(element)->source->endOfStreamSent();
  return handled;
}

// Runs more than once: for the real start and for each switch between push and pull. It buys nothing.
static gboolean gst_aiml_video_src_start(GstBaseSrc *base) {
  return GST_AIML_VIDEO_SRC(base)->source->validate();
}

static gboolean gst_aiml_video_src_stop(GstBaseSrc *) {
  return TRUE;
}

static gboolean gst_aiml_video_src_unlock(GstBaseSrc *base) {
  GST_AIML_VIDEO_SRC(base)->source->setFlushing(true);
  return TRUE;
}

static gboolean gst_aiml_video_src_unlock_stop(GstBaseSrc *base) {
  GST_AIML_VIDEO_SRC(base)->source->setFlushing(false);
  return TRUE;
}

static gboolean gst_aiml_video_src_is_seekable(GstBaseSrc *) {
  return TRUE; // pull mode is decided before anything is known of the clip
}

static gboolean gst_aiml_video_src_get_size(GstBaseSrc *base, guint64 *size) {
  const gint64 known = GST_AIML_VIDEO_SRC(base)->source->size();
  if (known < 0)
    return FALSE;
  *size = static_cast<guint64>(known);
  return TRUE;
}

// None of these may block, and the base class would start() for the scheduling query.
static gboolean gst_aiml_video_src_query(GstBaseSrc *base, GstQuery *query) {
  switch (GST_QUERY_TYPE(query)) {
  case GST_QUERY_SCHEDULING:
    gst_query_set_scheduling(query, GST_SCHEDULING_FLAG_SEEKABLE, 1, -1, 0);
    gst_query_add_scheduling_mode(query, GST_PAD_MODE_PUSH);
    gst_query_add_scheduling_mode(query, GST_PAD_MODE_PULL);
    return TRUE;
  case GST_QUERY_URI:
    // the suffix tells typefinders what to try first
    gst_query_set_uri(query, "aimlvideo://generation/clip.mp4");
    return TRUE;
  case GST_QUERY_DURATION: {
    GstFormat format;
    gst_query_parse_duration(query, &format, nullptr);
    if (format != GST_FORMAT_BYTES)
      break;
    gst_query_set_duration(query, GST_FORMAT_BYTES, GST_AIML_VIDEO_SRC(base)->source->size());
    return TRUE;
  }
  default:
    break;
  }
  return GST_BASE_SRC_CLASS(gst_aiml_video_src_parent_class)->query(base, query);
}

static GstFlowReturn gst_aiml_video_src_create(GstBaseSrc *base, guint64 offset, guint length, GstBuffer **buffer) {
  return GST_AIML_VIDEO_SRC(base)->source->create(offset, length, buffer);
}

static void gst_aiml_video_src_class_init(GstAimlVideoSrcClass *klass) {
  GST_DEBUG_CATEGORY_INIT(aimlvideosrc_debug, "aimlvideosrc", 0, "generated video source");

  auto *objectClass = G_OBJECT_CLASS(klass);
  objectClass->finalize = gst_aiml_video_src_finalize;
  objectClass->set_property = gst_aiml_video_src_set_property;
  objectClass->get_property = gst_aiml_video_src_get_property;
  aimlvideo::installProperties(objectClass);

  auto *elementClass = GST_ELEMENT_CLASS(klass);
  elementClass->change_state = gst_aiml_video_src_change_state;
  elementClass->send_event = gst_aiml_video_src_send_event;
  gst_element_class_add_static_pad_template(elementClass, &sourceTemplate);
  gst_element_class_set_static_metadata(
      elementClass, "AI/ML API generated video source", "Source/Network",
      "Generates a video clip from a prompt and an image with a model of the AI/ML API (Kling and others): submits the "
      "generation, waits for it, downloads the MP4 and delivers it",
      "gst-aimlvideo maintainers <maintainers@gst-aimlvideo.invalid>");

  auto *baseClass = GST_BASE_SRC_CLASS(klass);
  baseClass->start = gst_aiml_video_src_start;
  baseClass->stop = gst_aiml_video_src_stop;
  baseClass->unlock = gst_aiml_video_src_unlock;
  baseClass->unlock_stop = gst_aiml_video_src_unlock_stop;
  baseClass->is_seekable = gst_aiml_video_src_is_seekable;
  baseClass->get_size = gst_aiml_video_src_get_size;
  baseClass->query = gst_aiml_video_src_query;
  baseClass->create = gst_aiml_video_src_create;
}
