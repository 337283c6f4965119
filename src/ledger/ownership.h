// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "ledger/lock_file.h"

namespace aimlvideo {

/// The right to work on one request, held by one thread of one process at a time.
///
/// It is a kernel lock on a file, see LockFile.
class Ownership {
public:
  /// Takes it if it is free; nothing where somebody else has it. Never waits. `name` is part of a file's name.
  static Result<std::optional<Ownership>> take(const std::string &folder, const std::string &name);

  /// Who holds it, in words for people; empty where nobody does.
  static std::string holder(const std::string &folder, const std::string &name);

  Ownership(Ownership &&other) noexcept;
  Ownership &operator=(Ownership &&other) noexcept;
  ~Ownership();

private:
  Ownership(LockFile file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  LockFile file_;
  std::string path_; ///< empty: not ours to remove
};

} // namespace aimlvideo
