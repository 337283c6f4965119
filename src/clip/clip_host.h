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

/// Where the service's replies may lead.
enum class ClipReach {
  Public,      ///< to the public internet, over https
  Local,       ///< to local addresses as well, since the service itself is at one
  ThisMachine, ///< and to this machine over http, since the service itself is here, over http
};

/// Asks for parts of a clip. The URL is signed, so it is used byte for byte and without any header of the service.
///
/// A reply of the service must not make this machine ask hosts that only it can reach. So a URL, and what it redirects
/// to, leads no further than `reach` says.
class ClipHost {
public:
  ClipHost(HttpSession &session, Cancellation &cancellation, ClipReach reach)
      : session_(session), cancellation_(cancellation), reach_(reach) {}

  using Wanted = ClipWanted;
  Task<tl::expected<ClipPart, ClipRefusal>> open(const std::string &url, const Wanted &wanted,
                                                 Clock::time_point deadline);

private:
  Task<Exchanged<std::unique_ptr<HttpSession::Stream>>> follow(const std::string &url, const Headers &headers,
                                                               Clock::time_point deadline);
  std::optional<std::string> refuseUrl(const std::string &url) const;

  HttpSession &session_;
  Cancellation &cancellation_;
  const ClipReach reach_;
};

} // namespace aimlvideo
