// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include <aimlvideo/error.h>

#include "base/task.h"

namespace aimlvideo {

struct Context;

/// A descriptor that is kept for the clip of a generation, from before anything is bought until the clip has its file.
///
/// GLib ends a process that has none left, and what is paid for has to be fetched: a generation begins only where there
/// is one for it, besides those that others wait for and some for connections and the rest of the program. Any thread.
class ReservedDescriptor {
public:
  static Result<std::unique_ptr<ReservedDescriptor>> take();
  ReservedDescriptor(const ReservedDescriptor &) = delete;
  ReservedDescriptor &operator=(const ReservedDescriptor &) = delete;
  ~ReservedDescriptor();

private:
  ReservedDescriptor() = default;
};

/// Waits until the deadline for what it takes to fetch a clip that is paid for, should the program have opened more
/// than was kept free for it.
Task<Result<void>> roomToFetch(const Context &context);

} // namespace aimlvideo
