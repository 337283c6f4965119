// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace aimlvideo {

/// An image, a video or a sound as a request carries it.
struct Media {
  std::string carried;  ///< http(s) URL or data URI; empty: there is none
  std::string identity; ///< what stands for it in the request's identity; empty: identityOfCarried()

  bool empty() const { return carried.empty(); }
};

} // namespace aimlvideo
