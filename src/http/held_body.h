// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gio/gio.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

/// The body of a request that is held back: whoever reads it (asynchronously, as libsoup does) waits until it may have
/// it. For the network thread.
class HeldBody {
public:
  explicit HeldBody(GBytes *bytes);

  GInputStream *stream() const { return stream_.get(); }
  /// Lets it go from now on.
  void release();
  /// Whether anybody has had any of it.
  bool taken() const;
  /// Fails whoever reads it, now or later.
  void refuse();

private:
  GRefPtr<GInputStream> stream_;
};

} // namespace aimlvideo
