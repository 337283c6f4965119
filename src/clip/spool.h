// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include <aimlvideo/error.h>
#include <aimlvideo/spool.h>

#include "base/mutex.h"
#include "clip/present_ranges.h"

namespace aimlvideo {

/// A spool and the way to fill it: one thread at a time writes, in any order.
class SpoolFile final : public Spool {
public:
  /// Empty, in `folder`, or in the system's folder for large temporary files where it is empty. Mode 0600.
  static Result<std::shared_ptr<SpoolFile>> create(const std::string &folder);
  /// A whole clip of `size` bytes in an open file, which the spool takes over and closes.
  static std::shared_ptr<SpoolFile> open(int descriptor, uint64_t size);

  ~SpoolFile() override;

  /// Stays the same also when the file behind it is another after moveTo().
  int descriptor() const override { return descriptor_; }
  std::optional<uint64_t> size() const override;
  bool complete() const override;
  uint64_t presentUntil(uint64_t offset) const override;

  Arrival await(const Demand &demand, const std::function<bool()> &stop) override;
  void wake() override;
  Result<size_t> read(uint64_t offset, void *buffer, size_t size) const override;

  // For who writes: one thread at a time, each of which sees what the one before has done.

  /// Puts bytes into their place. False: other bytes were there already.
  Result<bool> write(uint64_t offset, const void *data, size_t size) EXCLUDES(mutex_);
  /// Says how large the clip is, and claims the room for it where the file system can, so that a full disk shows before
  /// a reader has anything.
  Result<void> setSize(uint64_t size) EXCLUDES(mutex_);
  /// Forgets all. False: some bytes were handed to a reader, so that others must not take their place.
  Result<bool> clear() EXCLUDES(mutex_);
  /// Goes on in a file in another folder, as create() would make it. Readers notice nothing.
  Result<void> moveTo(const std::string &folder) EXCLUDES(mutex_);

  // Until it is sure that the clip ends where its size says, who asks for its end can be kept waiting: a demuxer takes
  // an end for the end.

  void holdEnd() EXCLUDES(mutex_);
  /// Lets those have it who wait for it now.
  void tellEnd() EXCLUDES(mutex_);
  /// Lets everybody have it from now on.
  void releaseEnd() EXCLUDES(mutex_);
  /// The clip ends elsewhere. False: a reader was told otherwise.
  bool forgetSize() EXCLUDES(mutex_);
  /// Needs no lock: nobody else changes it.
  const PresentRanges &present() const NO_THREAD_SAFETY_ANALYSIS { return present_; }

  // For any thread, also while another one writes.

  /// What readers want, at one moment.
  struct Facts {
    std::optional<uint64_t> size;
    std::optional<Demand> demand; ///< what a reader waits for: the latest where there are more
    uint64_t lastAsked = 0;       ///< where a reader asked last
    bool endWanted = false;       ///< a reader waits for the end alone
    uint64_t waits = 0;           ///< so often has a reader begun to wait
  };
  Facts facts() const EXCLUDES(mutex_);

  /// Has `listener` called whenever a reader begins to wait, on its thread and under the spool's lock, until
  /// tellNobody(). Not for a reader that misses a byte from `first` up to `end`, which comes anyway, unless it is kept
  /// waiting for the end alone. False, and nobody is notified: such a reader has come since `seen`.
  bool tellOfReaders(uint64_t first, uint64_t end, const Facts &seen, std::function<void()> listener) EXCLUDES(mutex_);
  void tellNobody() EXCLUDES(mutex_);

private:
  explicit SpoolFile(int descriptor) : descriptor_(descriptor) {}

  struct Waiting {
    Demand demand;
    bool mayHaveEnd = false;
  };
  bool reachesEnd(const Demand &demand) const REQUIRES(mutex_);
  bool isKeptFromEnd(const Waiting &waiting) const REQUIRES(mutex_);
  bool isExpected(const Waiting &waiting) const REQUIRES(mutex_);
  std::optional<Arrival> arrival(const Waiting &waiting) const REQUIRES(mutex_);
  Result<void> copyTo(int descriptor) const EXCLUDES(mutex_);
  Result<void> put(uint64_t offset, const char *data, size_t size) EXCLUDES(mutex_);
  Result<bool> same(uint64_t offset, const char *data, size_t size) const;

  const int descriptor_;

  mutable Mutex mutex_;
  Condition changed_;
  PresentRanges present_ GUARDED_BY(mutex_); ///< changed by who writes only, see present()
  std::optional<uint64_t> size_ GUARDED_BY(mutex_);
  std::list<Waiting> waiting_ GUARDED_BY(mutex_);
  uint64_t waits_ GUARDED_BY(mutex_) = 0;
  std::function<void()> demandListener_ GUARDED_BY(mutex_);
  uint64_t expectedFrom_ GUARDED_BY(mutex_) = 0; ///< the listener need not know of who waits for these
  uint64_t expectedUntil_ GUARDED_BY(mutex_) = 0;
  uint64_t lastAsked_ GUARDED_BY(mutex_) = 0;
  bool handedOut_ GUARDED_BY(mutex_) = false;
  bool endHeld_ GUARDED_BY(mutex_) = false;
  bool endTold_ GUARDED_BY(mutex_) = false; ///< to a reader
};

} // namespace aimlvideo
