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

/// Asks for parts of a clip. The URL is signed, so it is used byte for byte and without any header of the service.
///
/// A reply of the service must not make this machine ask hosts that only it can reach. So a URL, and what it redirects
/// to, may lead to the public internet over https only, or, where `localHosts` says that the service itself is at a
/// local address, to local ones as well, and to this machine over http.
class ClipHost {
public:
  ClipHost(HttpSession &session, Cancellation &cancellation, bool localHosts)
      : session_(session), cancellation_(cancellation), localHosts_(localHosts) {}

  using Wanted = ClipWanted;
  tl::expected<ClipPart, ClipRefusal> open(const std::string &url, const Wanted &wanted, Clock::time_point deadline);

private:
  Exchanged<std::unique_ptr<HttpSession::Stream>> follow(const std::string &url, const Headers &headers,
                                                         Clock::time_point deadline);
  std::optional<std::string> refuseUrl(const std::string &url) const;

  HttpSession &session_;
  Cancellation &cancellation_;
  const bool localHosts_;
};

} // namespace aimlvideo
