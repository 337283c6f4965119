// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/studio/clip_store.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include <glib/gstdio.h>
#include <libsoup/soup.h>

#include "base/sha256.h"
#include "emulator/studio/painter.h"
#include "emulator/studio/renderer.h"
#include "emulator/wire/main_loop.h"

namespace aimlvideo::emulator {

namespace {

constexpr size_t recentClips = 64;
constexpr int thumbnailSide = 160;
constexpr guint fetchSeconds = 15;
constexpr gsize largestImage = 64 * 1024 * 1024;

using PictureResult = tl::expected<std::optional<Picture>, std::string>;

tl::expected<Bytes, std::string> fetch(const std::string &url, const std::stop_token &stop) {
  const auto session = adopt(soup_session_new());
  soup_session_set_timeout(session.get(), fetchSeconds);
  const auto message = adopt(soup_message_new("GET", url.c_str()));
  const auto cancellable = adopt(g_cancellable_new());
  std::stop_callback cancel(stop, [&] { g_cancellable_cancel(cancellable.get()); });
  if (!message)
    return tl::unexpected<std::string>("the image's address is not valid");
  GErrorSlot error;
  const auto stream = adopt(soup_session_send(session.get(), message.get(), cancellable.get(), &error));
  if (!stream)
    return tl::unexpected<std::string>(error.message());
  if (!SOUP_STATUS_IS_SUCCESSFUL(soup_message_get_status(message.get())))
    return tl::unexpected("the image's host answers " + std::to_string(soup_message_get_status(message.get())));
  std::string body;
  std::vector<char> block(65536);
  gssize count = 0;
  while ((count = g_input_stream_read(stream.get(), block.data(), block.size(), cancellable.get(), &error)) > 0) {
    body.append(block.data(), size_t(count));
    if (body.size() > largestImage)
      return tl::unexpected<std::string>("the image is too large");
  }
  if (count < 0)
    return tl::unexpected<std::string>(error.message());
  return Bytes(body);
}

/// Puts the bytes of an image on this machine in place of its address, so that its content decides the look.
tl::expected<void, std::string> resolve(std::optional<MediaReference> &media, const std::stop_token &stop) {
  if (!media || media->isData() || !isOnLoopback(media->url))
    return {};
  auto bytes = fetch(media->url, stop);
  if (!bytes)
    return tl::unexpected("Failed to download the file from " + media->url + ": " + bytes.error());
  media->bytes = *bytes;
  media->sha256 = sha256(bytes->view());
  return {};
}

/// There is no network: a picture elsewhere is stood for by a drawn one.
Picture placeholder(const Look &look, const std::string &url) {
  const Size size = frameSize(look, look.aspect);
  Picture picture(size.width, size.height);
  makeScenePainter(std::hash<std::string>()(url), size)->paint(0.4, picture.canvas());
  return picture;
}

PictureResult load(const Look &look, const std::optional<MediaReference> &media) {
  if (!media)
    return std::nullopt;
  if (media->bytes.size() == 0)
    return placeholder(look, media->url);
  auto picture = decodePicture(media->bytes);
  if (!picture)
    return tl::unexpected(media->parameter + ": " + picture.error());
  return std::move(*picture);
}

Bytes thumbnailOf(const Picture &picture) {
  const double scale = double(thumbnailSide) / std::max(picture.width(), picture.height());
  const auto shrink = [&](int length) {
    return std::max(2, static_cast<int>(length * scale) / 2 * 2);
  };
  return encodeJpeg(fill(picture, {shrink(picture.width()), shrink(picture.height())}));
}

} // namespace

tl::expected<ClipPtr, std::string> openClip(const std::string &path, Bytes thumbnail) {
  GErrorSlot error;
  const auto file = adopt(g_mapped_file_new(path.c_str(), FALSE, &error));
  if (!file)
    return tl::unexpected<std::string>(error.message());
  auto clip = std::make_shared<Clip>();
  clip->bytes = Bytes(adopt(g_mapped_file_get_bytes(file.get())));
  clip->etag = '"' + sha256(clip->bytes.view()).substr(0, 32) + '"';
  clip->thumbnail = std::move(thumbnail);
  clip->modified = g_get_real_time() / G_USEC_PER_SEC;
  return clip;
}

ClipStore::ClipStore(ClipPtr fixed) : fixed_(std::move(fixed)) {
  GErrorSlot error;
  const GCharPtr folder(g_dir_make_tmp("aimlapi-emulator-XXXXXX", &error));
  if (!folder)
    throw std::runtime_error(error.message());
  folder_ = folder.get();
  // The encoder uses several cores by itself.
  const unsigned count = std::max(1U, std::thread::hardware_concurrency() / 2);
  for (unsigned i = 0; i < count; ++i)
    workers_.emplace_back([this](const std::stop_token &stop) { work(stop); });
}

ClipStore::~ClipStore() {
  for (std::jthread &worker : workers_)
    worker.request_stop();
  {
    const Lock lock(mutex_); // a worker is either before its look at `stop`, or asleep
  }
  changed_.notifyAll();
  workers_.clear();
  g_rmdir(folder_.c_str());
}

unsigned ClipStore::rendered() const {
  const Lock lock(mutex_);
  return rendered_;
}

void ClipStore::order(Look look, Ready ready) {
  if (fixed_)
    return runOnMainLoop([ready = std::move(ready), clip = fixed_] { ready(clip); });
  {
    const Lock lock(mutex_);
    orders_.push_back({std::move(look), std::move(ready)});
  }
  changed_.notifyOne();
}

void ClipStore::cancelOrders() {
  std::deque<Order> cancelled;
  {
    const Lock lock(mutex_);
    cancelled.swap(orders_);
  }
  for (Order &order : cancelled)
    runOnMainLoop([ready = std::move(order.ready)] { ready(tl::unexpected<std::string>("cancelled")); });
}

void ClipStore::work(const std::stop_token &stop) {
  while (true) {
    Lock lock(mutex_);
    while (orders_.empty() && !stop.stop_requested())
      changed_.wait(lock);
    if (stop.stop_requested())
      return;
    Order order = std::move(orders_.front());
    orders_.pop_front();
    lock.unlock();
    fulfil(order, stop);
  }
}

void ClipStore::fulfil(Order &order, const std::stop_token &stop) {
  ClipResult result;
  std::string key;
  try {
    tl::expected<void, std::string> resolved = resolve(order.look.firstImage, stop);
    if (resolved)
      resolved = resolve(order.look.lastImage, stop);
    if (!resolved)
      return runOnMainLoop([ready = order.ready, why = resolved.error()] { ready(tl::unexpected(why)); });
    key = order.look.key();
    {
      const Lock lock(mutex_);
      auto [others, isFirst] = underWay_.try_emplace(key);
      others->second.push_back(order.ready);
      if (!isFirst)
        return;
    }
    result = make(order.look, key, stop);
  } catch (const std::exception &problem) {
    result = tl::unexpected<std::string>(problem.what());
  }
  std::vector<Ready> waiting;
  {
    const Lock lock(mutex_);
    if (const auto node = underWay_.extract(key))
      waiting = std::move(node.mapped());
  }
  runOnMainLoop([waiting = std::move(waiting), result] {
    for (const Ready &ready : waiting)
      ready(result);
  });
}

ClipResult ClipStore::make(Look &look, const std::string &key, const std::stop_token &stop) {
  if (const ClipPtr clip = remembered(key))
    return clip;
  PictureResult first = load(look, look.firstImage);
  if (!first)
    return tl::unexpected(first.error());
  PictureResult last = load(look, look.lastImage);
  if (!last)
    return tl::unexpected(last.error());
  Bytes thumbnail = *first ? thumbnailOf(**first) : Bytes();
  const std::string path = folder_ + "/" + key + ".mp4";
  const auto rendered = render(look, std::move(*first), std::move(*last), path, stop);
  ClipResult clip = rendered ? openClip(path, std::move(thumbnail)) : ClipResult(tl::unexpected(rendered.error()));
  g_unlink(path.c_str());
  if (clip)
    remember(key, *clip);
  return clip;
}

ClipPtr ClipStore::remembered(const std::string &key) {
  const Lock lock(mutex_);
  const auto found = clips_.find(key);
  return found == clips_.end() ? nullptr : found->second.lock();
}

void ClipStore::remember(const std::string &key, const ClipPtr &clip) {
  const Lock lock(mutex_);
  ++rendered_;
  recent_.push_back(clip);
  if (recent_.size() > recentClips)
    recent_.pop_front();
  std::erase_if(clips_, [](const auto &entry) { return entry.second.expired(); });
  clips_[key] = clip;
}

} // namespace aimlvideo::emulator
