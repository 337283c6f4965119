// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/session.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <list>
#include <tuple>

#include <sys/resource.h>

#include "base/log.h"
#include "http/address.h"
#include "http/held_body.h"
#include "http/proxies.h"

namespace aimlvideo {

namespace {

constexpr std::array proxyVariables{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy"};
constexpr std::array directVariables{"no_proxy", "NO_PROXY"};

/// The proxy to use, or null for the system's own choice.
GRefPtr<GProxyResolver> proxyResolver(const std::string &wanted) {
  std::string proxy = wanted;
  for (const char *name : proxyVariables) {
    const char *value = g_getenv(name);
    if (proxy.empty() && value)
      proxy = value;
  }
  if (proxy.empty())
    return nullptr;
  std::vector<std::string> direct{"localhost", "127.0.0.0/8", "::1"};
  for (const char *name : directVariables) {
    const char *value = g_getenv(name);
    if (!value)
      continue;
    const std::unique_ptr<char *, void (*)(char **)> hosts(g_strsplit_set(value, ", ", -1), g_strfreev);
    for (char **host = hosts.get(); *host; ++host)
      if (**host)
        direct.emplace_back(*host);
  }
  std::vector<char *> list;
  list.reserve(direct.size() + 1);
  for (std::string &host : direct)
    list.push_back(host.data());
  list.push_back(nullptr);
  return adopt(g_simple_proxy_resolver_new(proxy.c_str(), list.data()));
}

std::string describeCertificate(GTlsCertificateFlags flags) {
  struct Meaning {
    GTlsCertificateFlags flag;
    const char *text;
  };
  static constexpr std::array meanings{
      Meaning{G_TLS_CERTIFICATE_UNKNOWN_CA, "it is not signed by a trusted authority"},
      Meaning{G_TLS_CERTIFICATE_BAD_IDENTITY, "it is for another host"},
      Meaning{G_TLS_CERTIFICATE_NOT_ACTIVATED, "it is not valid yet"},
      Meaning{G_TLS_CERTIFICATE_EXPIRED, "it has expired"},
      Meaning{G_TLS_CERTIFICATE_REVOKED, "it was revoked"},
      Meaning{G_TLS_CERTIFICATE_INSECURE, "its algorithm is insecure"},
  };
  std::string text;
  for (const Meaning &meaning : meanings)
    if (flags & meaning.flag)
      text += (text.empty() ? "" : ", ") + std::string(meaning.text);
  return text;
}

TransportError::Cause causeOf(const GError *error) {
  if (error->domain == G_RESOLVER_ERROR)
    return TransportError::Cause::Unreachable;
  if (error->domain == G_TLS_ERROR)
    return TransportError::Cause::Tls;
  if (error->domain == G_IO_ERROR) {
    switch (error->code) {
    case G_IO_ERROR_CONNECTION_REFUSED:
    case G_IO_ERROR_HOST_NOT_FOUND:
    case G_IO_ERROR_HOST_UNREACHABLE:
    case G_IO_ERROR_NETWORK_UNREACHABLE:
    case G_IO_ERROR_PROXY_FAILED:
    case G_IO_ERROR_PROXY_AUTH_FAILED:
    case G_IO_ERROR_PROXY_NEED_AUTH:
    case G_IO_ERROR_PROXY_NOT_ALLOWED:
      return TransportError::Cause::Unreachable;
    default:
      break;
    }
  }
  return TransportError::Cause::Lost;
}

TransportError describe(const GError *error, SoupMessage *message, bool sent, const Cancellation &cancellation) {
  TransportError result;
  result.sent = sent;
  if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    const bool stopped = cancellation.cancelled();
    result.cause = stopped ? TransportError::Cause::Cancelled : TransportError::Cause::Deadline;
    result.message = stopped ? "stopped" : "no complete answer in time";
    return result;
  }
  // libsoup 3.2 fails without a reason where it finds itself at fault
  result.cause = error ? causeOf(error) : TransportError::Cause::Lost;
  // a connection that was never made is no lost connection
  if (!sent && result.cause == TransportError::Cause::Lost)
    result.cause = TransportError::Cause::Unreachable;
  result.message = error ? error->message : "the answer can't be read";
  if (const auto flags = soup_message_get_tls_peer_certificate_errors(message); flags != 0) {
    result.cause = TransportError::Cause::Tls;
    result.message = "the host's certificate is refused, " + describeCertificate(flags);
  }
  return result;
}

/// Where the path, the query or the fragment of an address begins.
size_t endOfHost(const std::string &url) {
  const size_t mark = url.find("://");
  return mark == std::string::npos ? url.size() : std::min(url.find_first_of("/?#", mark + 3), url.size());
}

/// An address whose path and query are sent byte for byte. GUri's parser would decode what need not have been encoded,
/// such as %7E, and so break a signature. Only a blank, which can't be sent, is encoded.
tl::expected<GRefPtr<GUri>, std::string> exactUri(const std::string &url) {
  const size_t end = endOfHost(url);
  GErrorSlot error;
  const auto origin = adopt(g_uri_parse(url.substr(0, end).c_str(), httpUriFlags, &error));
  if (!origin)
    return tl::unexpected(std::string(error.message()));
  const std::string scheme = g_uri_get_scheme(origin.get());
  if ((scheme != "http" && scheme != "https") || !g_uri_get_host(origin.get()) || !*g_uri_get_host(origin.get()))
    return tl::unexpected(std::string("it is not an http(s) address"));

  std::string path;
  for (const char c : url.substr(end, url.find('#', end) - end)) {
    if (g_ascii_iscntrl(c))
      return tl::unexpected(std::string("it contains a control character"));
    path += c == ' ' ? "%20" : std::string(1, c);
  }
  std::optional<std::string> query;
  if (const size_t question = path.find('?'); question != std::string::npos) {
    query = path.substr(question + 1);
    path.erase(question);
  }
  return adopt(g_uri_build_with_user(httpUriFlags, scheme.c_str(), g_uri_get_user(origin.get()),
                                     g_uri_get_password(origin.get()), nullptr, g_uri_get_host(origin.get()),
                                     g_uri_get_port(origin.get()), path.empty() ? "/" : path.c_str(),
                                     query ? query->c_str() : nullptr, nullptr));
}

Headers headersOf(SoupMessage *message) {
  Headers headers;
  SoupMessageHeadersIter iterator;
  soup_message_headers_iter_init(&iterator, soup_message_get_response_headers(message));
  const char *name = nullptr;
  const char *value = nullptr;
  while (soup_message_headers_iter_next(&iterator, &name, &value))
    headers.emplace_back(name, value);
  return headers;
}

void addBearer(SoupMessageHeaders *headers, const Secret &bearer) {
  std::string value;
  value.reserve(strlen("Bearer ") + bearer.reveal().size()); // so that no shorter copy is left behind
  value.append("Bearer ").append(bearer.reveal());
  soup_message_headers_append(headers, "Authorization", value.c_str());
  wipe(value);
}

/// Requests to an origin that are under way at once and may share connections.
constexpr size_t mostUsed = 16;

/// Looks at a request on its way: where its connection leads, and when libsoup is about to write it. It can keep it
/// from leaving.
///
/// libsoup repeats a request by itself after status 421, with an empty body where it is a POST, and an idempotent one
/// on a kept connection that the host has closed. That alone is let happen: whether and when to repeat is for the
/// caller to say, so any other second departure is prevented.
///
/// Only HTTP/1.1 is offered. Over HTTP/2 libsoup 3.2 takes the process down when an answer has trailers, or when the
/// host says GOAWAY and resets a stream; it misses the reset of a stream that has begun to be read, repeats requests,
/// and still writes one that was cancelled.
class Departure {
public:
  /// `trust`: null, or what verifies the host's certificate. `narrowed`: set while a handshake with fewer certificates
  /// than are trusted has not succeeded. `kept`: connections to this host that are kept.
  Departure(SoupMessage *message, const HttpRequest &request, const Cancellation::Attempt &attempt, bool &sent,
            Starting starting, TlsTrust *trust, bool &narrowed, std::shared_ptr<size_t> kept)
      : message_(message),
        time_(attempt),
        attempt_(attempt.cancellable()),
        trust_(trust),
        narrowed_(narrowed),
        kept_(std::move(kept)),
        publicOnly_(request.publicOnly),
        repeatable_(!request.body),
        sent_(sent),
        starting_(std::move(starting)) {
    if (request.body)
      setBody(request.body.get());
    handlers_ = {
        g_signal_connect(message, "network-event",
                         G_CALLBACK(+[](SoupMessage *, GSocketClientEvent event, GIOStream *connection, gpointer self) {
                           auto *departure = static_cast<Departure *>(self);
                           if (event == G_SOCKET_CLIENT_CONNECTING)
                             departure->connecting(connection);
                           else if (G_IS_TLS_CONNECTION(connection) && event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
                             departure->handshaking(G_TLS_CONNECTION(connection));
                           else if (G_IS_TLS_CONNECTION(connection) && event == G_SOCKET_CLIENT_TLS_HANDSHAKED)
                             departure->handshaken(G_TLS_CONNECTION(connection));
                         }),
                         this),
        g_signal_connect(message, "notify::remote-address", G_CALLBACK(+[](SoupMessage *, GParamSpec *, gpointer self) {
                           static_cast<Departure *>(self)->reached();
                         }),
                         this),
        g_signal_connect(message, "starting",
                         G_CALLBACK(+[](SoupMessage *, gpointer self) { static_cast<Departure *>(self)->started(); }),
                         this),
        // Another kept connection would be had at once, and libsoup 3.2 would then take the failure of the first for
        // that of the second.
        g_signal_connect(message, "restarted", G_CALLBACK(+[](SoupMessage *repeated, gpointer) {
                           soup_message_add_flags(repeated, SOUP_MESSAGE_NEW_CONNECTION);
                         }),
                         nullptr),
        g_signal_connect(message, "got-headers",
                         G_CALLBACK(+[](SoupMessage *, gpointer self) { static_cast<Departure *>(self)->answered(); }),
                         this),
    };
  }
  Departure(const Departure &) = delete;
  Departure &operator=(const Departure &) = delete;
  ~Departure() {
    for (const gulong handler : handlers_)
      g_signal_handler_disconnect(message_, handler);
  }

  /// Awaited when libsoup has done with it: nothing leaves from now on, and nobody decides any more.
  auto settled() {
    struct Awaiter {
      bool await_ready() const { return !departure.deciding_; }
      void await_suspend(std::coroutine_handle<> awaiter) { departure.waiting_ = awaiter; }
      void await_resume() const {}
      Departure &departure;
    };
    over_ = true;
    return Awaiter{*this};
  }

  /// Whether anybody may have acted on it.
  bool left() const { return sent_ && (!body_ || body_->taken()); }

  /// Why it was kept from leaving, if it was.
  std::optional<TransportError> withheld() const {
    if (!notPublic_.empty())
      return TransportError{TransportError::Cause::NotPublic, false,
                            notPublic_ + ", which is not on the public internet"};
    if (untrusted_ != 0)
      return TransportError{TransportError::Cause::Tls, false,
                            "the host's certificate is refused, " + describeCertificate(untrusted_)};
    if (outdated_)
      return TransportError{TransportError::Cause::Tls, false, "the host speaks a version of TLS older than 1.2"};
    if (withheld_)
      return TransportError{TransportError::Cause::Withheld, false, "it was not let go"};
    return repeated_;
  }

private:
  /// The address is known, and no packet has left for it.
  void connecting(GIOStream *connection) {
    connection_ = share(connection);
    if (!G_IS_SOCKET_CONNECTION(connection))
      return;
    check(adopt(g_socket_connection_get_remote_address(G_SOCKET_CONNECTION(connection), nullptr)).get());
    if (!notPublic_.empty()) // GIO would look at the cancellable only after it has begun to connect
      g_socket_close(g_socket_connection_get_socket(G_SOCKET_CONNECTION(connection)), nullptr);
  }

  /// There is a connection. A new one to the host itself is given its TLS by libsoup next.
  void reached() {
    GSocketAddress *address = soup_message_get_remote_address(message_);
    const bool secure = g_str_equal(g_uri_get_scheme(soup_message_get_uri(message_)), "https");
    if (trust_ && secure && connection_ && address && !G_IS_PROXY_ADDRESS(address))
      construction_.emplace();
  }

  void handshaking(GTlsConnection *connection) {
    construction_.reset();
    static const char *const offered[] = {"http/1.1", nullptr};
    g_tls_connection_set_advertised_protocols(connection, offered);
    narrowed_ = trust_ && trust_->beforeHandshake(connection);
  }

  void handshaken(GTlsConnection *connection) {
    narrowed_ = false;
    if (trust_)
      trust_->afterHandshake(connection);
  }

  void setBody(GBytes *body) {
    if (!starting_)
      return soup_message_set_request_body_from_bytes(message_, "application/json", body);
    body_.emplace(body);
    soup_message_set_request_body(message_, "application/json", body_->stream(),
                                  static_cast<gssize>(g_bytes_get_size(body)));
  }

  void started() {
    if (!depart())
      g_cancellable_cancel(attempt_); // checked before the first byte is written
  }

  /// Whether the request may leave, or its head at least.
  bool depart() {
    if (begun_ && !repeatable_)
      return preventRepetition();
    check(soup_message_get_remote_address(message_)); // of a connection that was there already
    outdated_ = isOutdated(soup_message_get_tls_protocol_version(message_));
    // one that another session has accepted is resumed here without a look
    untrusted_ = soup_message_get_tls_peer_certificate_errors(message_);
    if (outdated_ || untrusted_ != 0 || !notPublic_.empty())
      return false;
    begun_ = true;
    keepOrNot();
    if (starting_)
      detach(decide());
    else
      sent_ = true;
    return true;
  }

  /// A purchase has a connection of its own, which the next requests that may share one use. But libsoup looks at all
  /// that are kept for each request, and drops them all when there are too many.
  void keepOrNot() {
    if (!connection_) // it was kept
      return;
    if (!repeatable_ && *kept_ >= mostUsed)
      return soup_message_headers_replace(soup_message_get_request_headers(message_), "Connection", "close");
    ++*kept_;
    g_object_set_data_full(
        G_OBJECT(connection_.get()), "aimlvideo-kept", new std::shared_ptr<size_t>(kept_), [](gpointer data) {
          const std::unique_ptr<std::shared_ptr<size_t>> count(static_cast<std::shared_ptr<size_t> *>(data));
          --**count;
        });
  }

  /// Asks whether the body may follow.
  Task<void> decide() {
    deciding_ = true;
    const bool may = co_await starting_();
    deciding_ = false;
    if (!over_) {
      withheld_ = !may;
      sent_ = may && !g_cancellable_is_cancelled(time_.cancellable()); // it may be too late by now
      sent_ ? body_->release() : body_->refuse();
      if (!may)
        g_cancellable_cancel(attempt_);
    }
    if (const auto waiting = std::exchange(waiting_, {}))
      waiting.resume(); // which may end this
  }

  /// libsoup is about to send it again, though the host may have acted on it.
  bool preventRepetition() {
    if (!repeated_)
      repeated_ =
          TransportError{TransportError::Cause::Lost, sent_, "the connection was closed before there was an answer"};
    return false;
  }

  void answered() {
    if (soup_message_get_status(message_) != SOUP_STATUS_MISDIRECTED_REQUEST)
      return;
    repeated_ = TransportError{TransportError::Cause::Declined, false,
                               "the host says that it is not the one for this address (HTTP status 421)"};
    g_cancellable_cancel(attempt_); // before libsoup repeats it on another connection
  }

  void check(GSocketAddress *address) {
    if (!publicOnly_ || !notPublic_.empty())
      return;
    notPublic_ = address ? whyNotPublic(address) : "its host's address is unknown";
    if (!notPublic_.empty())
      g_cancellable_cancel(attempt_);
  }

  /// The system's TLS library may still agree to versions that RFC 8996 has done away with.
  static bool isOutdated(GTlsProtocolVersion version) {
    return version == G_TLS_PROTOCOL_VERSION_SSL_3_0 || version == G_TLS_PROTOCOL_VERSION_TLS_1_0 ||
           version == G_TLS_PROTOCOL_VERSION_TLS_1_1;
  }

  SoupMessage *message_;
  const Cancellation::Attempt &time_;
  GCancellable *attempt_; ///< of it
  TlsTrust *const trust_;
  bool &narrowed_;
  const std::shared_ptr<size_t> kept_;
  const bool publicOnly_;
  const bool repeatable_;
  bool &sent_; ///< the host may have acted on it
  const Starting starting_;
  std::optional<HeldBody> body_; ///< while `starting_` has not said that it may go
  std::coroutine_handle<> waiting_;
  std::optional<TlsConstruction> construction_; ///< while libsoup makes a TLS connection
  GRefPtr<GIOStream> connection_;               ///< made for this request; null: it has found one that was kept
  bool begun_ = false;
  bool deciding_ = false;
  bool over_ = false;
  bool withheld_ = false;
  bool outdated_ = false;
  GTlsCertificateFlags untrusted_ = GTlsCertificateFlags(0);
  std::string notPublic_;
  std::optional<TransportError> repeated_; ///< what is said instead
  std::array<gulong, 5> handlers_{};
};

} // namespace

std::optional<std::string> HttpResponse::header(const char *name) const {
  for (const auto &[key, value] : headers)
    if (g_ascii_strcasecmp(key.c_str(), name) == 0)
      return value;
  return {};
}

namespace {

/// The sessions that are shared. Those that nobody uses are kept for a while, since the next generation may go where
/// the last one went.
class Sessions {
public:
  std::shared_ptr<HttpSession> get(const SessionOptions &options, HttpSession::Use use) {
    Key key{options.userAgent, options.proxy, options.tlsDatabase.get(), options.idleTimeout, use, environment()};
    const auto known = std::find_if(all_.begin(), all_.end(), [&](const Entry &entry) { return entry.first == key; });
    if (known != all_.end())
      all_.splice(all_.begin(), all_, known);
    else
      all_.emplace_front(std::move(key), std::make_shared<HttpSession>(options));
    size_t number = 0;
    std::erase_if(all_, [&](const Entry &entry) { return ++number > mostUnused && entry.second.use_count() == 1; });
    return all_.front().second;
  }

private:
  using Key = std::tuple<std::string, std::string, GTlsDatabase *, unsigned, HttpSession::Use, std::string>;
  using Entry = std::pair<Key, std::shared_ptr<HttpSession>>;
  static constexpr size_t mostUnused = 8;

  /// What a session takes from the environment when it is made.
  static std::string environment() {
    std::string text;
    const auto add = [&text](const char *name) {
      const char *value = g_getenv(name);
      text += std::string(value ? value : "") + "\n";
    };
    std::ranges::for_each(proxyVariables, add);
    std::ranges::for_each(directVariables, add);
    return text;
  }

  std::list<Entry> all_; ///< the latest first
};

} // namespace

std::string proxyFor(const std::string &proxy, const std::string &url) {
  auto resolver = proxyResolver(proxy);
  if (!resolver)
    resolver = share(g_proxy_resolver_get_default());
  const GStrvPtr proxies(g_proxy_resolver_lookup(resolver.get(), url.c_str(), nullptr, nullptr));
  const std::string first = proxies && *proxies.get() ? *proxies.get() : "";
  return first == "direct://" ? "" : first;
}

std::shared_ptr<HttpSession> HttpSession::shared(const SessionOptions &options, Use use) {
  assert(Loop::instance().isCurrent());
  return Loop::instance().own<Sessions>().get(options, use);
}

Gate &HttpSession::gate(const std::string &url, Lane lane) {
  assert(Loop::instance().isCurrent());
  // A purchase makes a connection: more at once than a host accepts may be reset when they have been sent.
  constexpr size_t purchases = 16;
  return gates_.try_emplace({url.substr(0, endOfHost(url)), lane}, lane == Lane::Purchases ? purchases : mostUsed)
      .first->second;
}

std::shared_ptr<size_t> &HttpSession::kept(const std::string &url) {
  assert(Loop::instance().isCurrent());
  return kept_.try_emplace(url.substr(0, endOfHost(url)), std::make_shared<size_t>(0)).first->second;
}

namespace {

/// Those that are kept must not take the descriptors that others need.
int mostConnections() {
  rlimit limits{};
  const rlim_t descriptors = getrlimit(RLIMIT_NOFILE, &limits) == 0 ? limits.rlim_cur : 1024;
  return static_cast<int>(std::clamp<rlim_t>(descriptors / 16, 4, 256));
}

} // namespace

HttpSession::~HttpSession() {
  // libsoup's timers belong to the network thread
  if (session_ && !Loop::instance().isCurrent())
    Loop::instance().post([session = std::move(session_)] {});
}

SoupSession *HttpSession::session() {
  assert(Loop::instance().isCurrent());
  if (session_)
    return session_.get();
  const int connections = mostConnections();
  session_ = adopt(soup_session_new_with_options("max-conns", connections, "max-conns-per-host",
                                                 std::min(connections, 128), nullptr));
  SoupSession *session = session_.get();
  soup_session_remove_feature_by_type(session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_set_timeout(session, options_.idleTimeout);
  if (!options_.userAgent.empty())
    soup_session_set_user_agent(session, options_.userAgent.c_str());
  if (options_.tlsDatabase)
    soup_session_set_tls_database(session, options_.tlsDatabase.get());
  proxies_ = proxyResolver(options_.proxy);
  if (!proxies_)
    proxies_ = rememberingResolver(g_proxy_resolver_get_default());
  soup_session_set_proxy_resolver(session, proxies_.get());
  return session;
}

void HttpSession::foresee(const std::string &url) {
  const auto uri = exactUri(url);
  if (!uri)
    return;
  session();
  const char *scheme = g_uri_get_scheme(uri->get());
  const int port = g_uri_get_port(uri->get()) > 0 ? g_uri_get_port(uri->get())
                   : g_str_equal(scheme, "https") ? 443
                                                  : 80;
  // as GNetworkAddress spells it, by which the connection asks
  const GCharPtr address(
      g_uri_join(G_URI_FLAGS_NONE, scheme, nullptr, g_uri_get_host(uri->get()), port, "", nullptr, nullptr));
  const GAsyncReadyCallback drop = [](GObject *resolver, GAsyncResult *result, gpointer) {
    const GStrvPtr proxies(g_proxy_resolver_lookup_finish(G_PROXY_RESOLVER(resolver), result, nullptr));
  };
  g_proxy_resolver_lookup_async(proxies_.get(), address.get(), nullptr, drop, nullptr);
}

std::optional<std::string> redirectTarget(const std::string &url, const std::string &location) {
  if (location.empty())
    return {};
  if (g_uri_peek_scheme(location.c_str()))
    return location;
  if (location.starts_with("//"))
    return url.substr(0, url.find("//")) + location;
  if (location.starts_with("/"))
    return url.substr(0, endOfHost(url)) + location;
  const GCharPtr target(g_uri_resolve_relative(url.c_str(), location.c_str(), httpUriFlags, nullptr));
  return target ? std::optional<std::string>(target.get()) : std::nullopt;
}

namespace {

/// Awaited: libsoup sends a message and has the head of the answer, whose body is `body` then.
class Sending {
public:
  Sending(SoupSession *session, SoupMessage *message, GCancellable *cancellable)
      : session_(session), message_(message), cancellable_(cancellable) {}

  GRefPtr<GInputStream> body;
  GErrorSlot error;

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) {
    awaiter_ = awaiter;
    soup_session_send_async(
        session_, message_, G_PRIORITY_DEFAULT, cancellable_,
        [](GObject *session, GAsyncResult *result, gpointer data) {
          auto *self = static_cast<Sending *>(data);
          self->body = adopt(soup_session_send_finish(SOUP_SESSION(session), result, &self->error));
          // libsoup is in the middle of its own work here
          Loop::instance().post([awaiter = self->awaiter_] { awaiter.resume(); });
        },
        this);
  }
  void await_resume() const {}

private:
  SoupSession *session_;
  SoupMessage *message_;
  GCancellable *cancellable_;
  std::coroutine_handle<> awaiter_;
};

TransportError notBegun(const Cancellation &cancellation) {
  if (cancellation.cancelled())
    return {TransportError::Cause::Cancelled, false, "stopped"};
  return {TransportError::Cause::NoTurn, false, "too many other requests were under way"};
}

/// What a request is called in the log: a user and a query may be secrets.
std::string nameForLog(const HttpRequest &request, GUri *uri) {
  const int port = g_uri_get_port(uri);
  return std::string(request.method) + ' ' + g_uri_get_scheme(uri) + "://" + g_uri_get_host(uri) +
         (port > 0 ? ":" + std::to_string(port) : "") + g_uri_get_path(uri);
}

void logAttempt(const HttpRequest &request, GUri *uri, Clock::time_point begun,
                const Exchanged<std::unique_ptr<HttpSession::Stream>> &stream) {
  log(LogLevel::Debug, [&] {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f s", std::chrono::duration<double>(Clock::now() - begun).count());
    const std::string end = stream ? std::to_string((*stream)->head().status) : stream.error().message;
    return nameForLog(request, uri) + ": " + end + " after " + seconds;
  });
}

GRefPtr<SoupMessage> messageFor(const HttpRequest &request, GUri *uri) {
  auto message = adopt(soup_message_new_from_uri(request.method, uri));
  // what one generation's address holds of passwords is not for another's
  soup_message_set_flags(message.get(),
                         static_cast<SoupMessageFlags>(SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_DO_NOT_USE_AUTH_CACHE));
  SoupMessageHeaders *headers = soup_message_get_request_headers(message.get());
  for (const auto &[name, value] : request.headers)
    soup_message_headers_append(headers, name.c_str(), value.c_str());
  if (!request.bearer.empty())
    addBearer(headers, request.bearer);
  return message;
}

} // namespace

Task<Exchanged<std::unique_ptr<HttpSession::Stream>>> HttpSession::open(const HttpRequest &request,
                                                                        Cancellation &cancellation,
                                                                        Clock::time_point deadline, Starting starting) {
  const auto uri = exactUri(request.url);
  if (!uri)
    co_return tl::unexpected(TransportError{TransportError::Cause::BadUrl, false, uri.error()});
  bool narrowed = false;
  auto begun = Clock::now();
  auto stream =
      co_await attempt(request, uri->get(), cancellation, deadline, starting, trust_ ? &*trust_ : nullptr, narrowed);
  logAttempt(request, uri->get(), begun, stream);
  if (stream || !narrowed || stream.error().cause != TransportError::Cause::Tls)
    co_return stream;
  // refused by the certificates that the host needed before; all that are trusted have the last word
  trust_->forget(g_uri_get_host(uri->get()), static_cast<guint16>(g_uri_get_port(uri->get())));
  begun = Clock::now();
  stream = co_await attempt(request, uri->get(), cancellation, deadline, std::move(starting), nullptr, narrowed);
  logAttempt(request, uri->get(), begun, stream);
  co_return stream;
}

Task<Exchanged<std::unique_ptr<HttpSession::Stream>>>
HttpSession::attempt(const HttpRequest &request, GUri *uri, Cancellation &cancellation, Clock::time_point deadline,
                     Starting starting, TlsTrust *trust, bool &narrowed) {
  std::unique_ptr<Stream> stream(new Stream(cancellation, deadline));
  const auto message = messageFor(request, uri);
  stream->message_ = message;

  Departure departure(message.get(), request, stream->attempt_, stream->sent_, std::move(starting), trust, narrowed,
                      kept(request.url));
  Sending sending(session(), message.get(), stream->attempt_.cancellable());
  co_await sending;
  co_await departure.settled();
  stream->body_ = std::move(sending.body);
  if (!stream->body_) {
    if (const auto withheld = departure.withheld())
      co_return tl::unexpected(*withheld);
    co_return tl::unexpected(describe(sending.error.get(), message.get(), departure.left(), cancellation));
  }
  stream->head_.status = soup_message_get_status(message.get());
  if (!stream->sent_) // libsoup passes on what a proxy says to the request for a tunnel
    co_return tl::unexpected(
        TransportError{TransportError::Cause::Unreachable, false,
                       "the proxy refuses the connection with HTTP status " + std::to_string(stream->head_.status)});
  stream->head_.headers = headersOf(message.get());
  SoupMessageHeaders *announced = soup_message_get_response_headers(message.get());
  if (soup_message_headers_get_encoding(announced) == SOUP_ENCODING_CONTENT_LENGTH)
    stream->left_ = static_cast<uint64_t>(soup_message_headers_get_content_length(announced));
  GSocketAddress *peer = soup_message_get_remote_address(message.get());
  stream->head_.fromLocalAddress = peer && !whyNotPublic(peer).empty();
  co_return stream;
}

HttpSession::Stream::~Stream() {
  assert(Loop::instance().isCurrent());
  char end = 0;
  if (body_ && left_ == 0U) // libsoup takes the connection back where somebody has seen the end
    (void)readNow(&end, 1);
}

std::optional<Exchanged<size_t>> HttpSession::Stream::readNow(void *buffer, size_t size) {
  GErrorSlot error;
  const gssize count = g_pollable_input_stream_read_nonblocking(G_POLLABLE_INPUT_STREAM(body_.get()), buffer, size,
                                                                attempt_.cancellable(), &error);
  if (count == 0)
    left_.reset();
  else if (count > 0 && left_)
    *left_ -= std::min(*left_, static_cast<uint64_t>(count));
  if (count >= 0) {
    log(LogLevel::Log, [count] { return std::to_string(count) + " bytes of an answer"; });
    return static_cast<size_t>(count);
  }
  if (g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return std::nullopt;
  return tl::unexpected(describe(error.get(), message_.get(), true, cancellation_));
}

Task<bool> HttpSession::Stream::waitUntilReadable(Waiter &waiter, Clock::time_point latest) {
  assert(Loop::instance().isCurrent());
  struct Watch {
    Watch(GPollableInputStream *body, Waiter &wakes)
        : waiter(wakes), source(g_pollable_input_stream_create_source(body, nullptr)) {
      const GPollableSourceFunc callback = [](GObject *, gpointer data) -> gboolean {
        auto *self = static_cast<Watch *>(data);
        self->readable = true;
        self->waiter.wake(); // which may end this
        return G_SOURCE_REMOVE;
      };
      g_source_set_callback(source, G_SOURCE_FUNC(callback), this, nullptr);
      g_source_attach(source, g_main_context_get_thread_default());
    }
    Watch(const Watch &) = delete;
    Watch &operator=(const Watch &) = delete;
    ~Watch() {
      g_source_destroy(source);
      g_source_unref(source);
    }
    Waiter &waiter;
    GSource *source;
    bool readable = false;
  };
  const Watch watch(G_POLLABLE_INPUT_STREAM(body_.get()), waiter);
  const bool goesOn = co_await waiter.until(std::min(latest, deadline_));
  co_return watch.readable || !goesOn || Clock::now() >= deadline_;
}

Task<Exchanged<size_t>> HttpSession::Stream::read(void *buffer, size_t size) {
  Waiter waiter(cancellation_);
  for (;;) {
    if (const auto count = readNow(buffer, size))
      co_return *count;
    (void)co_await waitUntilReadable(waiter, deadline_);
  }
}

Task<Exchanged<HttpResponse>> HttpSession::exchange(const HttpRequest &request, Cancellation &cancellation,
                                                    AttemptTime time, size_t maximumBody, Starting starting) {
  const Lane lane = starting ? Lane::Purchases : request.isPoll ? Lane::Polls : Lane::Others;
  const auto pass = co_await gate(request.url, lane).enter(cancellation, time.deadline);
  if (!pass)
    co_return tl::unexpected(notBegun(cancellation));
  const auto deadline = std::min(time.deadline, Clock::now() + time.patience);
  auto stream = co_await open(request, cancellation, deadline, std::move(starting));
  if (!stream)
    co_return tl::unexpected(std::move(stream.error()));
  HttpResponse response = (*stream)->head();
  std::vector<char> buffer(16 * 1024);
  for (;;) {
    const auto count = co_await (*stream)->read(buffer.data(), buffer.size());
    if (!count)
      co_return tl::unexpected(count.error());
    if (*count == 0)
      co_return response;
    if (response.body.size() + *count > maximumBody)
      co_return tl::unexpected(TransportError{TransportError::Cause::TooLarge, true,
                                              "the answer is larger than " + std::to_string(maximumBody) + " bytes"});
    response.body.append(buffer.data(), *count);
  }
}

} // namespace aimlvideo
