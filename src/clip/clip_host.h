// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "clip/clip_head.h"
#include "http/session.h"

namespace aimlvideo {

/// An open connection that brings what its head says.
struct ClipPart : ClipHead {
  std::unique_ptr<HttpSession::Stream> stream;
};

/// Asks for parts of a clip. The URL is signed, so it is used byte for byte and without any header of the service;
/// redirects are followed to https only.
class ClipHost {
public:
  ClipHost(HttpSession &session, Cancellation &cancellation, bool loopbackHttp)
      : session_(session), cancellation_(cancellation), loopbackHttp_(loopbackHttp) {}

  using Wanted = ClipWanted;
  tl::expected<ClipPart, ClipRefusal> open(const std::string &url, const Wanted &wanted, Clock::time_point deadline);

private:
  Exchanged<std::unique_ptr<HttpSession::Stream>> follow(const std::string &url, const Headers &headers,
                                                         Clock::time_point deadline);
  std::optional<std::string> refuseUrl(const std::string &url) const;

  HttpSession &session_;
  Cancellation &cancellation_;
  const bool loopbackHttp_;
};

} // namespace aimlvideo
