// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>

#include "base/error.h"

namespace aimlvideo {

/// The right to work on one request, held by one thread of one process at a time.
///
/// It is a kernel lock on a file: the kernel frees it when its process dies, however it dies, and keeps it while the
/// process is merely stopped.
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
  Ownership(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

  int descriptor_;
  std::string path_;
};

} // namespace aimlvideo
