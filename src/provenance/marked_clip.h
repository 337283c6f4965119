// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <aimlvideo/mark.h>
#include <aimlvideo/settings.h>
#include <aimlvideo/spool.h>

#include "base/mutex.h"
#include "provenance/mark_place.h"

namespace aimlvideo {

/// A clip with a mark behind its last byte, where one can be. All bytes before it are the clip's own.
///
/// Its size is not known before it is decided whether there is a mark, which takes the headers of the clip's boxes. A
/// reader waits for them.
class MarkedClip final : public Spool {
public:
  /// `mark`: see <aimlvideo/mark.h>.
  MarkedClip(std::shared_ptr<Spool> clip, std::string mark, Mark wish)
      : clip_(std::move(clip)), mark_(std::move(mark)), box_(markBox(mark_)), wish_(wish), place_(wish) {}

  int descriptor() const override { return clip_->descriptor(); } ///< of the clip without its mark
  std::optional<uint64_t> size() const override EXCLUDES(mutex_);
  std::string mark() const override { return mark_; }
  bool complete() const override { return clip_->complete(); }
  uint64_t presentUntil(uint64_t offset) const override EXCLUDES(mutex_);
  Arrival await(const Demand &demand, const std::function<bool()> &stop) override EXCLUDES(mutex_);
  void wake() override { clip_->wake(); }
  Result<size_t> read(uint64_t offset, void *buffer, size_t size) const override EXCLUDES(mutex_);

  /// Why there is no mark; empty: there is one, or it is not decided yet.
  std::string unmarked() const EXCLUDES(mutex_);

private:
  /// Where the clip ends and the mark begins.
  struct End {
    uint64_t clip = 0;
    uint64_t all = 0;
  };
  std::optional<End> end() const EXCLUDES(mutex_);
  Arrival awaitMark(const End &end, const Demand &demand, const std::function<bool()> &stop);
  std::optional<Demand> headerFor(const Demand &demand) const EXCLUDES(mutex_);

  const std::shared_ptr<Spool> clip_;
  const std::string mark_;
  const std::string box_;
  const Mark wish_;
  mutable Mutex mutex_;
  mutable MarkPlace place_ GUARDED_BY(mutex_);
  mutable uint64_t placeSize_ GUARDED_BY(mutex_) = 0; ///< the size of the clip that it was looked for with
};

} // namespace aimlvideo
