// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"

namespace aimlvideo {

/// The bytes of a clip in a temporary file that has no name: it is gone with the last owner, however the process ends.
///
/// One thread writes; any thread may read what was written before the spool was handed to it.
class Spool {
public:
  /// In `folder`, or in the system's folder for large temporary files where it is empty. Mode 0600.
  static Result<std::shared_ptr<Spool>> create(const std::string &folder);
  /// A whole clip of `size` bytes in an open file, which the spool takes over and closes.
  static std::shared_ptr<Spool> open(int descriptor, uint64_t size);

  Spool(const Spool &) = delete;
  Spool &operator=(const Spool &) = delete;
  ~Spool();

  Result<void> append(const void *data, size_t size);
  /// Forgets all bytes.
  Result<void> clear();
  uint64_t size() const { return size_; }
  /// Stays the spool's.
  int descriptor() const { return descriptor_; }

  /// Reads up to `size` bytes at `offset`; fewer only at the end.
  Result<size_t> read(uint64_t offset, void *buffer, size_t size) const;

private:
  explicit Spool(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
  uint64_t size_ = 0;
};

} // namespace aimlvideo
