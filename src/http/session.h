// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <libsoup/soup.h>
#include <tl/expected.hpp>

#include "base/cancellation.h"
#include "base/glib_ptr.h"
#include "base/headers.h"
#include "base/secret.h"

namespace aimlvideo {

/// Keeps a URL's path and query byte for byte, as signed links need it.
constexpr auto httpUriFlags = static_cast<GUriFlags>(SOUP_HTTP_URI_FLAGS);

struct SessionOptions {
  std::string userAgent;
  std::string proxy;                 ///< URI of a proxy; empty: the environment's, else the system's
  GRefPtr<GTlsDatabase> tlsDatabase; ///< null: the system's trust
  unsigned idleTimeout = 60;         ///< seconds without a byte after which a connection counts as lost
};

struct HttpRequest {
  const char *method = "GET";
  std::string url;
  Headers headers;
  Secret bearer;        ///< sent as `Authorization: Bearer ...`; empty: none
  GRefPtr<GBytes> body; ///< sent as application/json; null: none
  /// Whether it may go to hosts of the public internet only, because the URL comes from somebody else than the user.
  /// Checked on the address that is connected to, so that no name service can lead it elsewhere.
  bool publicOnly = false;
};

struct HttpResponse {
  unsigned status = 0;
  Headers headers;
  std::string body;
  /// Whether the connection led to an address that is not public, see whyNotPublic().
  bool fromLocalAddress = false;

  bool successful() const { return status >= 200 && status < 300; }
  /// The first header of that name, compared without regard to case.
  std::optional<std::string> header(const char *name) const;
};

/// Why there is no answer.
struct TransportError {
  enum class Cause {
    Cancelled,   ///< the Cancellation
    Deadline,    ///< the attempt's own deadline
    Unreachable, ///< name, route, connection
    Tls,         ///< the host's certificate or protocol
    Lost,        ///< the connection broke or fell silent
    TooLarge,    ///< the answer is larger than allowed
    BadUrl,
    NotPublic, ///< the host is not of the public internet, and the request was to go there only
    Withheld,  ///< the caller's `starting` did not let it leave
    Declined,  ///< the host says that it has not acted on it: status 421
  };
  Cause cause = Cause::Lost;
  /// Whether the request had begun to leave, so that the server may have acted on it.
  bool sent = false;
  std::string message; ///< the system's words
};

template <typename T>
using Exchanged = tl::expected<T, TransportError>;

/// Called when the connection is there and the request is about to leave; nothing was sent as long as it was not. False
/// keeps the request from leaving.
using Starting = std::function<bool()>;

/// Where a redirect leads, with a whole address or path in `location` taken byte for byte. Nothing: nowhere.
std::optional<std::string> redirectTarget(const std::string &url, const std::string &location);

/// One HTTP session: connections, TLS, proxy. Used by the thread that made it and by no other. It follows no redirect,
/// decodes no compression and sends nothing twice: what it returns is what the host sent to the one request that left.
class HttpSession {
public:
  explicit HttpSession(const SessionOptions &options);
  HttpSession(const HttpSession &) = delete;
  HttpSession &operator=(const HttpSession &) = delete;

  /// A whole exchange, with an answer of at most `maximumBody` bytes.
  Exchanged<HttpResponse> exchange(const HttpRequest &request, Cancellation &cancellation, Clock::time_point deadline,
                                   size_t maximumBody, const Starting &starting = {});

  /// An answer whose body is read piece by piece.
  class Stream {
  public:
    const HttpResponse &head() const { return head_; } ///< its body is empty
    /// Blocks for the next bytes. 0: the body ended as the host announced it.
    Exchanged<size_t> read(void *buffer, size_t size);
    /// Blocks until read() brings something, an end or an error included. False: `interruption` was cancelled before,
    /// or so much time has passed.
    bool waitUntilReadable(GCancellable *interruption, std::chrono::milliseconds longest);

  private:
    friend class HttpSession;
    Stream(Cancellation &cancellation, Clock::time_point deadline);
    bool lookAhead();

    Cancellation &cancellation_;
    Clock::time_point deadline_;
    std::unique_ptr<Cancellation::Attempt> attempt_;
    GRefPtr<SoupMessage> message_;
    GRefPtr<GInputStream> body_;
    HttpResponse head_;
    /// What lookAhead() has found, for read() to tell: bytes, and then perhaps an end or an error.
    std::string ahead_;
    std::optional<Exchanged<size_t>> after_;
    bool sent_ = false;
  };
  Exchanged<std::unique_ptr<Stream>> open(const HttpRequest &request, Cancellation &cancellation,
                                          Clock::time_point deadline, const Starting &starting = {});

private:
  GRefPtr<SoupSession> session_;
};

} // namespace aimlvideo
