// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <tl/expected.hpp>

#include "base/mutex.h"
#include "emulator/studio/look.h"
#include "emulator/studio/picture.h"
#include "emulator/wire/bytes.h"

namespace aimlvideo::emulator {

/// A finished MP4. Its bytes are a mapped file without a name: no memory is spent, and the disk space is free again
/// when the last user lets go.
struct Clip {
  Bytes bytes;
  std::string etag; ///< with its quotes
  gint64 modified;  ///< seconds since 1970
  Bytes thumbnail;  ///< of the first image, JPEG; empty without one
};

using ClipPtr = std::shared_ptr<const Clip>;
using ClipResult = tl::expected<ClipPtr, std::string>;

tl::expected<ClipPtr, std::string> openClip(const std::string &path, Bytes thumbnail = {});

/// Renders clips in worker threads, each look once.
class ClipStore {
public:
  /// Called on the main loop.
  using Ready = std::function<void(const ClipResult &)>;

  /// Every look gets this clip instead of a rendered one, if there is one.
  explicit ClipStore(ClipPtr fixed = {});
  /// Stops the renders under way and removes the temporary folder.
  ~ClipStore();

  void order(Look look, Ready ready) EXCLUDES(mutex_);
  /// Those that wait for a worker hear that they will not be rendered.
  void cancelOrders() EXCLUDES(mutex_);
  /// Renders done so far, those taken from the cache left out.
  unsigned rendered() const EXCLUDES(mutex_);

private:
  struct Order {
    Look look;
    Ready ready;
  };
  struct Pictures {
    std::optional<Picture> first, last;
  };

  void work(const std::stop_token &stop) EXCLUDES(mutex_);
  void fulfil(Order &order, const std::stop_token &stop) EXCLUDES(mutex_);
  ClipResult make(Look &look, const std::string &key, const std::stop_token &stop);
  ClipPtr remembered(const std::string &key) EXCLUDES(mutex_);
  void remember(const std::string &key, const ClipPtr &clip) EXCLUDES(mutex_);

  ClipPtr fixed_;
  std::string folder_;
  mutable Mutex mutex_;
  Condition changed_;
  std::deque<Order> orders_ GUARDED_BY(mutex_);
  std::map<std::string, std::vector<Ready>> underWay_ GUARDED_BY(mutex_); ///< by look
  std::map<std::string, std::weak_ptr<const Clip>> clips_ GUARDED_BY(mutex_);
  std::list<ClipPtr> recent_ GUARDED_BY(mutex_); ///< kept although no task has them any more
  unsigned rendered_ GUARDED_BY(mutex_) = 0;
  std::vector<std::jthread> workers_; ///< last: they use all of the above
};

} // namespace aimlvideo::emulator
