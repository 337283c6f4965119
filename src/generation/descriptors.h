// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>

#include "base/error.h"

namespace aimlvideo {

struct Run;

/// What a generation may open while it looks at its request, submits it or fetches its clip: a part of the descriptors
/// that the process has left. GLib ends the process where it gets none, so who begins such a step without room for it
/// would take all others down.
class DescriptorShare {
public:
  /// What is paid for may use most of the reserve. Were it kept from that as well, those that wait could hold so much
  /// that none of them can ever fetch its clip.
  enum class For { Beginning, Fetching };

  /// Null: there is no room besides what others have been given, and what those that merely wait need now and then.
  static std::unique_ptr<DescriptorShare> take(For what);

  DescriptorShare(const DescriptorShare &) = delete;
  DescriptorShare &operator=(const DescriptorShare &) = delete;
  ~DescriptorShare();

private:
  DescriptorShare() = default;
};

/// Takes a share for what has bought nothing yet. It waits for others that are about to give theirs back, and is
/// refused where there would be no room without them either.
Result<void> makeRoomToBegin(Run &run);

/// Takes a share for what is paid for: waits for room until the deadline.
Result<void> makeRoomToFetch(Run &run);

} // namespace aimlvideo
