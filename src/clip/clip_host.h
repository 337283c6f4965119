// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "http/session.h"

namespace aimlvideo {

/// How a host names the contents of a whole file.
struct ClipChecksum {
  GChecksumType type = G_CHECKSUM_MD5;
  std::string hex; ///< empty: the host names none
};

/// What a host sends for a request: bytes of the clip, from `first` on.
struct ClipPart {
  std::unique_ptr<HttpSession::Stream> stream;
  uint64_t first = 0;
  uint64_t end = UINT64_MAX;     ///< behind the last byte; UINT64_MAX: the host does not say
  std::optional<uint64_t> total; ///< size of the clip
  std::string validator;         ///< strong ETag; empty: none
  bool isPart = false;           ///< 206: the host can send parts
  bool mayDoParts = false;       ///< it says so
  ClipChecksum checksum;
};

/// Why a request brought nothing.
struct ClipRefusal {
  enum class Kind {
    Stopped,     ///< the Cancellation
    Later,       ///< another attempt may help
    LinkRefused, ///< another link may help
    WrongPart,   ///< the host does not send the part that it is asked for
  };
  Kind kind = Kind::Later;
  std::string cause;
  unsigned status = 0; ///< 0: no HTTP answer is the cause
  std::optional<std::chrono::seconds> retryAfter;
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

  struct Wanted {
    uint64_t first = 0;
    uint64_t end = UINT64_MAX; ///< UINT64_MAX: to the end
    bool asPart = true;        ///< false: no header Range, for a host that can't do it
    std::string validator;     ///< send a part of this very file or all of another; empty: of any
  };
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
