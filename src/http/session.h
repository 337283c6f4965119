// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <libsoup/soup.h>
#include <tl/expected.hpp>

#include <aimlvideo/secret.h>
#include <aimlvideo/settings.h>

#include "base/cancellation.h"
#include "base/glib_ptr.h"
#include "http/gate.h"
#include "http/tls_trust.h"

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
  /// Asked again and again by many, who wait for their turn among themselves: where the host does not answer these, it
  /// can still be asked for what comes before a purchase.
  bool isPoll = false;
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
    NoTurn,    ///< the deadline came while too many others were under way
  };
  Cause cause = Cause::Lost;
  /// Whether the request had begun to leave, so that the server may have acted on it.
  bool sent = false;
  std::string message; ///< the system's words
};

template <typename T>
using Exchanged = tl::expected<T, TransportError>;

/// How long an attempt may take.
struct AttemptTime {
  Clock::time_point deadline; ///< of this one and those that may follow
  Clock::duration patience;   ///< from when its turn has come
};

/// Awaited when the connection is there and the request is about to leave. Its head may be on its way then, its body is
/// not before this says true: nobody can have acted on it. False keeps it from leaving.
using Starting = std::function<Task<bool>()>;

/// The proxy on the way to an address, as a session with this `proxy` finds it; empty: none. Blocks where the system
/// asks others, as for a script that decides.
std::string proxyFor(const std::string &proxy, const std::string &url);

/// Where a redirect leads, with a whole address or path in `location` taken byte for byte. Empty: nowhere.
std::optional<std::string> redirectTarget(const std::string &url, const std::string &location);

/// One HTTP session: connections, TLS, proxy. For the network thread. It follows no redirect, decodes no compression
/// and sends nothing twice: what it returns is what the host sent to the one request that left.
///
/// A request that is not safe to repeat (POST) has a connection of its own: on one that was kept, the host may be about
/// to close it, and nobody would know whether it was acted on.
class HttpSession {
public:
  /// What its connections are for. Downloads take long, and libsoup looks at all that it has at every turn.
  enum class Use { Service, Clips };
  /// The session that all share who want the same, so that they share its connections. For the network thread.
  static std::shared_ptr<HttpSession> shared(const SessionOptions &options, Use use = Use::Service);

  /// May be made and dropped by any thread.
  explicit HttpSession(SessionOptions options) : options_(std::move(options)) {
    if (TlsTrust::enabled())
      trust_.emplace();
  }
  HttpSession(const HttpSession &) = delete;
  HttpSession &operator=(const HttpSession &) = delete;
  ~HttpSession();

  /// A whole exchange, with an answer of at most `maximumBody` bytes. It waits for its turn among those with the same
  /// origin; polls and those with a `starting`, which buy, have gates of their own, since the host may be silent to one
  /// kind.
  Task<Exchanged<HttpResponse>> exchange(const HttpRequest &request, Cancellation &cancellation, AttemptTime time,
                                         size_t maximumBody, Starting starting = {});

  /// A request to this address will follow: finds out meanwhile which proxy leads there. The first such question of a
  /// process takes many milliseconds. For the network thread.
  void foresee(const std::string &url);

  /// An answer whose body is read piece by piece. It has to go on the network thread, too. Its connection is free for
  /// the next request if all that was announced has been read by then, and is closed otherwise.
  class Stream {
  public:
    Stream(const Stream &) = delete;
    Stream &operator=(const Stream &) = delete;
    ~Stream();

    const HttpResponse &head() const { return head_; } ///< its body is empty
    /// The next bytes, once there are some. 0: the body ended as the host announced it.
    Task<Exchanged<size_t>> read(void *buffer, size_t size);
    /// What there is now: up to `size` bytes, an end, or an error. Empty: nothing has come. Another thread may call
    /// it, while the network thread leaves the stream alone.
    std::optional<Exchanged<size_t>> readNow(void *buffer, size_t size);
    /// Waits until readNow() may bring something, an end or an error included. False: `waiter` was woken before, or it
    /// got too late.
    Task<bool> waitUntilReadable(Waiter &waiter, Clock::time_point latest);

  private:
    friend class HttpSession;
    Stream(Cancellation &cancellation, Clock::time_point deadline)
        : cancellation_(cancellation), deadline_(deadline), attempt_(cancellation, deadline) {}

    Cancellation &cancellation_;
    const Clock::time_point deadline_;
    Cancellation::Attempt attempt_;
    GRefPtr<SoupMessage> message_;
    GRefPtr<GInputStream> body_;
    HttpResponse head_;
    std::optional<uint64_t> left_; ///< bytes of the body; empty: not announced, or it has ended
    bool sent_ = false;
  };
  Task<Exchanged<std::unique_ptr<Stream>>> open(const HttpRequest &request, Cancellation &cancellation,
                                                Clock::time_point deadline, Starting starting = {});

private:
  enum class Lane { Purchases, Polls, Others };
  SoupSession *session();
  /// One attempt of open(), with `trust` if that is not null. `narrowed`: whether it failed in a handshake with fewer
  /// certificates than are trusted, so that nothing has left and another one may succeed.
  Task<Exchanged<std::unique_ptr<Stream>>> attempt(const HttpRequest &request, GUri *uri, Cancellation &cancellation,
                                                   Clock::time_point deadline, Starting starting, TlsTrust *trust,
                                                   bool &narrowed);
  /// How many connections to the host of this address are open and will be kept after their answer.
  std::shared_ptr<size_t> &kept(const std::string &url);
  Gate &gate(const std::string &url, Lane lane);

  const SessionOptions options_;
  GRefPtr<SoupSession> session_; ///< null: not used yet
  GRefPtr<GProxyResolver> proxies_;
  std::optional<TlsTrust> trust_; ///< if this process has enabled it
  std::map<std::pair<std::string, Lane>, Gate> gates_;
  std::map<std::string, std::shared_ptr<size_t>> kept_; ///< by origin
};

} // namespace aimlvideo
