// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/error.h"
#include "clip/spool.h"

namespace aimlvideo {

/// Whole clips on disk, to be played again without the network. Any of them may go at any time: what counts is the
/// purchase, which the ledger knows.
///
/// Shared by all processes of a user without a lock: an entry appears whole under its name or not at all, and an open
/// one stays readable when it is removed.
class ClipStore {
public:
  struct Limits {
    uint64_t size = 20ULL << 30;         ///< bytes, of all clips
    uint64_t age = 30ULL * 24 * 60 * 60; ///< seconds since a clip was last played

    /// The defaults, or what `$AIMLVIDEO_CACHE_SIZE` (bytes) and `$AIMLVIDEO_CACHE_DAYS` say.
    static Limits fromEnvironment();
  };
  struct Entry {
    std::string name;
    uint64_t size = 0;
    int64_t used = 0; ///< when it was last played, microseconds since 1970

    /// Not a clip, or one on its way.
    bool hidden() const { return name.starts_with('.'); }
  };

  /// Makes the folder where it is missing.
  static Result<ClipStore> open(const std::string &folder);

  const std::string &folder() const { return folder_; }
  std::string path(const std::string &name) const { return folder_ + "/" + name; }

  /// Gives a complete spool a name; one that was created in folder() is not copied. It is not synced, see syncToDisk().
  /// Then removes what is too old or too much, least recently used first, the new entry last of all.
  Result<void> keep(const Spool &spool, const std::string &name, const Limits &limits) const;
  /// The entry as a complete spool. Nothing where there is none of this size.
  std::shared_ptr<Spool> find(const std::string &name, uint64_t size) const;
  /// Sets the entry's time, to the minute: the least recently used goes first.
  void markUsed(const std::string &name) const;

  /// Least recently used first.
  std::vector<Entry> entries() const;
  /// How many entries went.
  size_t prune(const Limits &limits) const;
  bool remove(const std::string &name) const;

private:
  explicit ClipStore(std::string folder) : folder_(std::move(folder)) {}
  /// With those that are hidden.
  std::vector<Entry> files() const;

  std::string folder_;
};

/// What an entry looks like, without reading all of it: its file's number, size and time to the nanosecond, its first
/// and its last bytes. Who changes it in place, or puts another into its place, changes this. Empty: it can't be read.
std::string looksOf(const Spool &spool);

/// Writes what is not there yet of a complete spool to the disk, so that it outlasts a power cut. False: cancelled,
/// which is heeded for what takes long only. Blocks.
Result<bool> syncToDisk(const Spool &spool, const Cancellation &cancellation);

/// SHA-256 of a complete spool, in hex. Nothing when cancelled or unreadable.
std::optional<std::string> checksumOf(const Spool &spool, const Cancellation &cancellation);

} // namespace aimlvideo
