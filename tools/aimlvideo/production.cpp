// SPDX-License-Identifier: LGPL-2.1-or-later
#include "production.h"

#include <deque>
#include <set>

namespace aimlvideo::cli {

namespace {

/// What is made in the work folder: the clip as it comes, and what is published, which may be the same.
constexpr auto clip = "clip";
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
  transcoder_.reset();
  turns().leave(this);
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
  auto folder = WorkFolder::open(order_.output, order_.outputKind(), order_.overwrite);
  if (!folder)
    return end(folder.error());
  folder_.emplace(std::move(*folder));
  const char *target = order_.profile->kind == Profile::Kind::AsIs ? result : clip;
  if (const auto created = folder_->create(target, OutputKind::File); !created)
    return end(created.error());
  fetch_ = std::make_unique<Fetch>(order_.properties, folder_->path(target), hooks_.changed,
                                   [this](const std::optional<Error> &failure) {
                                     news_ = fetch_->news();
                                     if (failure)
                                       return end(failure);
                                     fetched();
                                   });
}

std::string Production::status() const {
  return transcoding() ? "transcoding" : news().status.empty() ? "starting" : news().status;
}

std::optional<int> Production::percent() const {
  if (waiting_)
    return {};
  return transcoder_ ? transcoder_->percent() : news().percent;
}

void Production::fetched() {
  fetch_.reset();
  if (order_.profile->kind == Profile::Kind::AsIs)
    return made();
  waiting_ = true;
  turns().ask(this, [this] { transcode(); });
}

void Production::transcode() {
  waiting_ = false;
  if (const auto created = folder_->create(result, order_.outputKind()); !created)
    return end(created.error());
  transcoder_ = std::make_unique<Transcoder>(*order_.profile, order_.shape, folder_->path(clip), folder_->path(result),
                                             [this](const std::optional<Error> &failure) {
                                               transcoder_.reset(); // which writes the last bytes
                                               if (failure)
                                                 return end(failure);
                                               made();
                                             });
  hooks_.changed();
}

void Production::made() {
  turns().leave(this);
  auto done = folder_->settle(result);
  if (done)
    done = hooks_.publishing(folder_->path(result));
  if (done)
    done = folder_->publish(result);
  end(done ? std::nullopt : std::optional(done.error()));
}

void Production::end(std::optional<Error> failure) {
  if (failure && failure->generationId.empty())
    failure->generationId = news().generationId;
  fetch_.reset();
  folder_.reset();
  const auto ended = std::move(hooks_.ended);
  ended(failure);
}

} // namespace aimlvideo::cli
