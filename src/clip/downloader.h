// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>

#include "clip/spool.h"
#include "http/retry.h"
#include "http/session.h"

namespace aimlvideo {

/// Fetches a clip that is paid for: it is given up only at the deadline, or when no further attempt can help.
///
/// The URL is signed, so it is used byte for byte and without any header of the service. A broken transfer goes on
/// where it broke when the host can vouch that it still holds the same file, and begins anew otherwise.
class Downloader {
public:
  struct Limits {
    uint64_t maximumSize = 8ULL << 30; ///< bytes
    bool loopbackHttp = false;         ///< the service itself is on this machine, so its clips may be as well
    Clock::time_point deadline;
    RetryPolicy retries{std::chrono::milliseconds(500), std::chrono::seconds(30), 0};
  };

  /// Called on the downloading thread.
  struct Callbacks {
    /// The link was refused (401, 403, 404, 410): asks the service for the present one.
    std::function<Result<std::string>()> freshUrl;
    std::function<void(uint64_t received, std::optional<uint64_t> total)> progressed;
    /// An attempt failed and another will follow.
    std::function<void(const std::string &why)> retrying;
  };

  Downloader(HttpSession &session, Cancellation &cancellation, Limits limits, Callbacks callbacks);

  /// Fills the spool with the whole clip.
  Result<void> fetch(std::string url, Spool &spool);

private:
  enum class Outcome { Complete, Broken, Refused };

  Result<Outcome> attempt(const std::string &url, Spool &spool);
  Exchanged<std::unique_ptr<HttpSession::Stream>> openFollowingRedirects(const std::string &url,
                                                                         const Headers &headers);
  Result<Outcome> receive(HttpSession::Stream &stream, Spool &spool);
  Result<Outcome> broken(const TransportError &error);
  std::optional<std::string> refuseUrl(const std::string &url) const;
  Error tooLarge(uint64_t size) const;

  HttpSession &session_;
  Cancellation &cancellation_;
  Limits limits_;
  Callbacks callbacks_;
  std::minstd_rand random_{std::random_device{}()};

  std::string validator_; ///< strong ETag of the file in the spool; empty: the host gave none
  std::optional<uint64_t> total_;
  std::string cause_; ///< of the latest failure
  unsigned httpStatus_ = 0;
  unsigned notVideo_ = 0;
};

} // namespace aimlvideo
