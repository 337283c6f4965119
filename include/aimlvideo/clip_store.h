// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <aimlvideo/error.h>
#include <aimlvideo/export.h>
#include <aimlvideo/spool.h>

namespace aimlvideo {

/// Whole clips on disk, to be played again without the network. Any of them may be removed at any time: what counts is
/// the purchase, which the ledger records.
///
/// Shared by all processes of a user without a lock: an entry appears whole under its name or not at all, and an open
/// one stays readable when it is removed.
class AIMLVIDEO_API ClipStore {
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

    /// Not a clip, or one still being written.
    bool hidden() const { return name.starts_with('.'); }
  };

  /// Creates the folder if it is missing. The user's own store is in clipFolder().
  static Result<ClipStore> open(const std::string &folder);

  const std::string &folder() const { return folder_; }
  std::string path(const std::string &name) const { return folder_ + "/" + name; }

  /// Gives a complete spool a name; one that was created in folder() is not copied. It is not synced.
  /// Then removes what is too old or exceeds the limit, least recently used first, the new entry last.
  Result<void> keep(const Spool &spool, const std::string &name, const Limits &limits) const;
  /// The entry as a complete spool. Empty if there is none of this size.
  std::shared_ptr<Spool> find(const std::string &name, uint64_t size) const;
  /// Sets the entry's time, to the minute: the least recently used goes first.
  void markUsed(const std::string &name) const;

  /// Least recently used first.
  std::vector<Entry> entries() const;
  /// How many entries were removed.
  size_t prune(const Limits &limits) const;
  bool remove(const std::string &name) const;

private:
  explicit ClipStore(std::string folder) : folder_(std::move(folder)) {}
  /// Including the hidden ones.
  std::vector<Entry> files() const;

  std::string folder_;
};

} // namespace aimlvideo
