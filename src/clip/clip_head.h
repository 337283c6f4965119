// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "http/session.h"

namespace aimlvideo {

/// How a host names the contents of a whole file.
struct ClipChecksum {
  GChecksumType type = G_CHECKSUM_MD5;
  std::string hex; ///< empty: the host names none
};

/// What is asked of a clip's host.
struct ClipWanted {
  uint64_t first = 0;
  uint64_t end = UINT64_MAX; ///< UINT64_MAX: to the end
  bool asPart = true;        ///< false: no header Range, for a host that can't do it
  std::string validator;     ///< send a part of this very file or all of another; empty: of any
};

/// What a host says that it sends: bytes of the clip, from `first` on.
struct ClipHead {
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

/// Reads status and headers of the answer to a request for `wanted`. Pure.
tl::expected<ClipHead, ClipRefusal> readClipHead(const HttpResponse &head, const ClipWanted &wanted);

} // namespace aimlvideo
