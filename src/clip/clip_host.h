// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "clip/clip_head.h"
#include "http/gate.h"
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

/// Asks for parts of a clip. For the network thread. The URL is signed, so it is used byte for byte and without any
/// header of the service.
///
/// A reply of the service must not make this machine ask hosts that only it can reach. So a URL, and what it redirects
/// to, leads no further than `reach` says.
class ClipHost {
public:
  ClipHost(HttpSession &session, Cancellation &cancellation, ClipReach reach)
      : session_(session), cancellation_(cancellation), reach_(reach) {}

  /// Waits until this is one of the downloads that may be under way at a time from the host of `url`, which it stays
  /// until leave(). A thousand clips that are ready at once are not fetched over a thousand connections, and a host
  /// that is silent keeps those of others not waiting. False: stopped, or it is too late.
  Task<bool> enter(const std::string &url, Clock::time_point deadline);
  void leave() { place_.reset(); }

  using Wanted = ClipWanted;
  Task<tl::expected<ClipPart, ClipRefusal>> open(const std::string &url, const Wanted &wanted,
                                                 Clock::time_point deadline);

private:
  Task<Exchanged<std::unique_ptr<HttpSession::Stream>>> follow(const std::string &url, const Headers &headers,
                                                               Clock::time_point deadline);
  std::optional<std::string> refuseUrl(const std::string &url) const;

  struct Place {
    std::string origin;
    std::shared_ptr<Gate> gate; ///< outlives the pass
    Gate::Pass pass;
  };

  HttpSession &session_;
  Cancellation &cancellation_;
  const ClipReach reach_;
  std::optional<Place> place_;
};

} // namespace aimlvideo
