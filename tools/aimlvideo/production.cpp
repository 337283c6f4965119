// SPDX-License-Identifier: LGPL-2.1-or-later
#include "production.h"

#include <deque>
#include <set>

#include "checksum.h"
#include "output.h"
#include "save.h"

namespace aimlvideo::cli {

namespace {

/// What is made in the work folder and published from there.
constexpr auto result = "result";

/// Encoders take all of a processor and much memory, so there are no more of them at once than processors.
class Turns {
public:
  void ask(const void *who, std::function<void()> begin) {
    if (busy_.size() >= g_get_num_processors())
      return waiting_.emplace_back(who, std::move(begin)), void();
    busy_.insert(who);
    begin();
  }
  void leave(const void *who) {
    std::erase_if(waiting_, [who](const auto &entry) { return entry.first == who; });
    if (busy_.erase(who) == 0 || waiting_.empty())
      return;
    const auto [next, begin] = std::move(waiting_.front());
    waiting_.pop_front();
    busy_.insert(next);
    begin();
  }

private:
  std::set<const void *> busy_;
  std::deque<std::pair<const void *, std::function<void()>>> waiting_;
};

Turns &turns() { // the main loop's thread only
  static Turns turns;
  return turns;
}

} // namespace

Result<void> checkOrder(const Order &order) {
  if (auto there = checkElements(*order.profile); !there)
    return there;
  if (auto named = checkExtension(*order.profile, order.output); !named)
    return named;
  if (order.shape.any() && order.profile->kind == Profile::Kind::AsIs)
    return failure(ErrorKind::BadRequest, "the profile mp4 keeps the clip as it is", "a size or a rate was asked for",
                   "Choose the profile h264");
  if (order.profile->kind == Profile::Kind::Hls && order.output.ends_with(".m3u8"))
    return failure(ErrorKind::BadRequest, order.output + " can't be written",
                   "the profile hls makes a folder with index.m3u8 in it", "Name a folder");
  return checkOutput(order.output, order.outputKind(), order.overwrite);
}

Production::Production(Order order, Hooks hooks) : order_(std::move(order)), hooks_(std::move(hooks)) {}

Production::~Production() {
  if (starter_ != 0)
    g_source_remove(starter_);
  if (job_)
    job_->stop();
  inbox_->close();
  transcoder_.reset();
  turns().leave(this);
  if (folder_)
    folder_->remove();
}

void Production::startSoon() {
  starter_ = g_idle_add_once(
      [](gpointer self) {
        static_cast<Production *>(self)->starter_ = 0;
        static_cast<Production *>(self)->start();
      },
      this);
}

void Production::start() {
  // made once before anything is bought, since it tells whether the output can be made
  auto folder = WorkFolder::open(order_.output, order_.outputKind(), order_.overwrite);
  if (!folder)
    return end(folder.error());
  if (order_.reserved)
    folder_ = std::make_shared<WorkFolder>(std::move(*folder));
  note_ = "starting the generation";
  auto job = Job::start(std::move(order_.settings), 0, *this);
  if (!job)
    return end(job.error());
  job_ = std::move(*job);
  hooks_.changed();
}

void Production::stateChanged(const Status &status) {
  inbox_->post([this, status] { heard(status, describe(status)); });
}

void Production::progressed(const Status &status, const std::string &note) {
  inbox_->post([this, status, note] { heard(status, note.empty() ? describe(status) : note); });
}

void Production::arriving(const Status &status, const std::shared_ptr<Spool> &clip) {
  inbox_->post([this, status, clip] {
    clip_ = clip;
    heard(status, describe(status));
  });
}

void Production::completed(const Status &status) {
  inbox_->post([this, status] {
    heard(status, describe(status));
    fetched();
  });
}

void Production::failed(const Status &status, const Error &error) {
  inbox_->post([this, status, error] {
    heard(status, note_);
    end(error);
  });
}

void Production::warned(const std::string &text) {
  inbox_->post([text] { printWarning(text); });
}

void Production::heard(const Status &status, const std::string &note) {
  status_ = status;
  note_ = note;
  hooks_.changed();
}

std::string Production::doing() const {
  return transcoding() ? "transcoding" : status_.state == State::Idle ? "starting" : nameOf(status_.state);
}

std::optional<int> Production::percent() const {
  if (waiting_)
    return {};
  if (transcoder_)
    return transcoder_->percent();
  return job_ ? std::optional(status_.percent().value_or(0)) : std::nullopt;
}

void Production::fetched() {
  if (!folder_) {
    auto folder = WorkFolder::open(order_.output, order_.outputKind(), order_.overwrite);
    if (!folder)
      return end(folder.error());
    folder_ = std::make_shared<WorkFolder>(std::move(*folder));
  }
  if (const auto created = folder_->create(result, order_.outputKind()); !created)
    return end(created.error());
  if (order_.profile->kind == Profile::Kind::AsIs)
    return finish(std::exchange(clip_, {}));
  waiting_ = true;
  turns().ask(this, [this] { transcode(); });
}

void Production::transcode() {
  waiting_ = false;
  transcoder_ = std::make_unique<Transcoder>(*order_.profile, order_.shape, pathOf(*clip_), folder_->path(result),
                                             [this](const std::optional<Error> &failure) {
                                               transcoder_.reset(); // which writes the last bytes
                                               clip_.reset();
                                               turns().leave(this);
                                               if (failure)
                                                 return end(failure);
                                               finish(nullptr);
                                             });
  hooks_.changed();
}

/// Brings the result to the disk, where a clip is given with its bytes.
void Production::finish(const std::shared_ptr<Spool> &clip) {
  const bool wanted = static_cast<bool>(hooks_.publishing);
  runInBackground(
      [this, inbox = inbox_, folder = folder_, clip, wanted, output = order_.output] { // this: for the inbox alone
        auto done = clip ? copyClip(*clip, folder->descriptor(result), output) : Result<void>();
        if (done)
          done = folder->settle(result);
        Result<std::string> checksum = wanted && done ? checksumOf(folder->path(result)) : "";
        if (!done)
          checksum = tl::unexpected(std::move(done.error()));
        inbox->post([this, checksum] { publish(checksum); });
      });
}

void Production::publish(const Result<std::string> &checksum) {
  if (!checksum)
    return end(checksum.error());
  auto done = hooks_.publishing ? hooks_.publishing(*checksum) : Result<void>();
  if (done)
    done = folder_->publish(result);
  end(done ? std::nullopt : std::optional(done.error()));
}

void Production::end(std::optional<Error> failure) {
  if (failure && failure->generationId.empty())
    failure->generationId = status_.generationId;
  clip_.reset();
  if (folder_)
    folder_->remove();
  const auto ended = std::move(hooks_.ended);
  ended(failure);
}

} // namespace aimlvideo::cli
