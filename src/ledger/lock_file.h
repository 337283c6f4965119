// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include <tl/expected.hpp>

namespace aimlvideo {

/// The process that made it, distinguished from those that are forked from it, whatever numbers they have.
class ProcessMark {
public:
  ProcessMark();
  /// Whether this is still that process, and not a child with a copy of its memory.
  bool isOurs() const;

private:
  pid_t process_;
  unsigned forks_; ///< how many forks lead from the program's first process to this one
};

/// An open file to lock (flock). The kernel frees the lock when its process dies, however it dies, and keeps it while
/// the process is merely stopped.
///
/// A lock belongs to the open file, which a forked child would share: it would keep what its parent has long given
/// back, or died with. So a child has these files no more, whatever program forks.
class LockFile {
public:
  /// Makes the file where there is none. The error is the system's words.
  static tl::expected<LockFile, std::string> open(const std::string &path);
  /// Empty if there is no such file.
  static tl::expected<std::optional<LockFile>, std::string> openExisting(const std::string &path);

  LockFile(LockFile &&other) noexcept;
  LockFile &operator=(LockFile &&other) noexcept;
  ~LockFile();

  /// `operation` is LOCK_EX or LOCK_SH. Never waits: false with errno EWOULDBLOCK where somebody else has it.
  bool lock(int operation);

  /// Writes into the file who has it, for holderOf().
  void sign();
  /// Who has locked a file, in words for people; empty where there is no such file.
  static std::string holderOf(const std::string &path);

  int descriptor() const { return descriptor_; }
  /// Whether this is the process that opened it, and not a child with a copy of its memory.
  bool isOurs() const { return process_.isOurs(); }

private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
  ProcessMark process_;
};

} // namespace aimlvideo
