// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include <sys/types.h>

#include <tl/expected.hpp>

namespace aimlvideo {

/// An open file to lock (flock). The kernel frees the lock when its process dies, however it dies, and keeps it while
/// the process is merely stopped.
///
/// A lock belongs to the open file, which a forked child would share: it would keep what its parent has long given
/// back, or died with. So a child has these files no more, whatever program forks.
class LockFile {
public:
  /// Makes the file where there is none. The error is the system's words.
  static tl::expected<LockFile, std::string> open(const std::string &path);

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
  bool isOurs() const;

private:
  LockFile(int descriptor, pid_t process) : descriptor_(descriptor), process_(process) {}

  int descriptor_;
  pid_t process_;
};

} // namespace aimlvideo
