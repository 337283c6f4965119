// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/session.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <glib-unix.h>

#include "http/address.h"

namespace aimlvideo {

namespace {

/// The proxy to use, or null for the system's own choice.
GRefPtr<GProxyResolver> proxyResolver(const std::string &wanted) {
  std::string proxy = wanted;
  for (const char *name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy"}) {
    const char *value = g_getenv(name);
    if (proxy.empty() && value)
      proxy = value;
  }
  if (proxy.empty())
    return nullptr;
  std::vector<std::string> direct{"localhost", "127.0.0.0/8", "::1"};
  for (const char *name : {"no_proxy", "NO_PROXY"}) {
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
    return tl::unexpected(std::string("it is no http or https address"));

  std::string path;
  for (const char c : url.substr(end, url.find('#', end) - end)) {
    if (g_ascii_iscntrl(c))
      return tl::unexpected(std::string("it holds a control character"));
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

/// The descriptor that becomes readable when a GCancellable is cancelled. GIO's own source for it leaks in GLib 2.74
/// when it goes while the cancelling thread has not returned yet.
class CancellableFd {
public:
  explicit CancellableFd(GCancellable *cancellable)
      : cancellable_(share(cancellable)), descriptor_(g_cancellable_get_fd(cancellable)) {}
  CancellableFd(const CancellableFd &) = delete;
  CancellableFd &operator=(const CancellableFd &) = delete;
  ~CancellableFd() {
    if (valid())
      g_cancellable_release_fd(cancellable_.get());
  }

  bool valid() const { return descriptor_ >= 0; }
  /// A new source that calls back once it is cancelled.
  GSource *source(GUnixFDSourceFunc cancelled, gpointer data) const {
    GSource *source = g_unix_fd_source_new(descriptor_, G_IO_IN);
    g_source_set_callback(source, G_SOURCE_FUNC(cancelled), data, nullptr);
    return source;
  }

private:
  GRefPtr<GCancellable> cancellable_;
  int descriptor_;
};

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

/// Looks at a request on its way: where its connection leads, and when libsoup is about to write it. It can keep it
/// from leaving.
///
/// libsoup repeats a request by itself after status 421, and an idempotent one on a connection that the host has
/// closed; a repeated POST has an empty body. Whether and when to repeat is for the caller to say, so the second
/// departure is prevented.
///
/// Only HTTP/1.1 is offered. Over HTTP/2 libsoup 3.2 takes the process down when an answer has trailers, or when the
/// host says GOAWAY and resets a stream; it misses the reset of a stream that has begun to be read, repeats requests,
/// and writes one that was cancelled all the same.
class Departure {
public:
  Departure(SoupMessage *message, GCancellable *attempt, bool publicOnly, bool &sent, const Starting &starting)
      : message_(message), attempt_(attempt), publicOnly_(publicOnly), sent_(sent), starting_(starting) {
    handlers_ = {
        g_signal_connect(message, "network-event",
                         G_CALLBACK(+[](SoupMessage *, GSocketClientEvent event, GIOStream *connection, gpointer self) {
                           // the address is known, and no packet has left for it
                           if (event == G_SOCKET_CLIENT_CONNECTING)
                             static_cast<Departure *>(self)->connecting(connection);
                           else if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
                             static_cast<Departure *>(self)->handshaking(connection);
                         }),
                         this),
        g_signal_connect(message, "starting",
                         G_CALLBACK(+[](SoupMessage *, gpointer self) { static_cast<Departure *>(self)->started(); }),
                         this),
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

  /// Why it was kept from leaving, if it was.
  std::optional<TransportError> withheld() const {
    if (!notPublic_.empty())
      return TransportError{TransportError::Cause::NotPublic, false,
                            notPublic_ + ", which is not of the public internet"};
    if (outdated_)
      return TransportError{TransportError::Cause::Tls, false, "the host speaks a version of TLS before 1.2"};
    if (withheld_)
      return TransportError{TransportError::Cause::Withheld, false, "it was not let go"};
    return repeated_;
  }

private:
  void connecting(GIOStream *connection) {
    if (!G_IS_SOCKET_CONNECTION(connection))
      return;
    check(adopt(g_socket_connection_get_remote_address(G_SOCKET_CONNECTION(connection), nullptr)).get());
    if (!notPublic_.empty()) // GIO would look at the cancellable only after it has begun to connect
      g_socket_close(g_socket_connection_get_socket(G_SOCKET_CONNECTION(connection)), nullptr);
  }

  void handshaking(GIOStream *connection) {
    static const char *const offered[] = {"http/1.1", nullptr};
    if (G_IS_TLS_CONNECTION(connection))
      g_tls_connection_set_advertised_protocols(G_TLS_CONNECTION(connection), offered);
  }

  void started() {
    if (!depart())
      g_cancellable_cancel(attempt_); // checked before the first byte is written
  }

  /// Whether the request may leave.
  bool depart() {
    if (sent_)
      return preventRepetition();
    check(soup_message_get_remote_address(message_)); // of a connection that was there already
    outdated_ = isOutdated(soup_message_get_tls_protocol_version(message_));
    if (outdated_ || !notPublic_.empty())
      return false;
    withheld_ = withheld_ || (starting_ && !starting_());
    sent_ = !withheld_;
    return sent_;
  }

  /// libsoup is about to send it again, though the host may have acted on it.
  bool preventRepetition() {
    if (!repeated_)
      repeated_ =
          TransportError{TransportError::Cause::Lost, true, "the connection was closed before there was an answer"};
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
  GCancellable *attempt_;
  const bool publicOnly_;
  bool &sent_;
  const Starting &starting_;
  bool withheld_ = false;
  bool outdated_ = false;
  std::string notPublic_;
  std::optional<TransportError> repeated_; ///< what is said instead
  std::array<gulong, 3> handlers_{};
};

} // namespace

std::optional<std::string> HttpResponse::header(const char *name) const {
  for (const auto &[key, value] : headers)
    if (g_ascii_strcasecmp(key.c_str(), name) == 0)
      return value;
  return {};
}

// a clip's head, a jump and a question to the service may be open at the same host
HttpSession::HttpSession(const SessionOptions &options)
    : session_(adopt(soup_session_new_with_options("max-conns-per-host", 6, nullptr))) {
  soup_session_remove_feature_by_type(session_.get(), SOUP_TYPE_CONTENT_DECODER);
  soup_session_set_timeout(session_.get(), options.idleTimeout);
  if (!options.userAgent.empty())
    soup_session_set_user_agent(session_.get(), options.userAgent.c_str());
  if (options.tlsDatabase)
    soup_session_set_tls_database(session_.get(), options.tlsDatabase.get());
  if (const auto resolver = proxyResolver(options.proxy))
    soup_session_set_proxy_resolver(session_.get(), resolver.get());
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

HttpSession::Stream::Stream(Cancellation &cancellation, Clock::time_point deadline)
    : cancellation_(cancellation),
      deadline_(deadline),
      attempt_(std::make_unique<Cancellation::Attempt>(cancellation, deadline)) {}

Exchanged<std::unique_ptr<HttpSession::Stream>> HttpSession::open(const HttpRequest &request,
                                                                  Cancellation &cancellation,
                                                                  Clock::time_point deadline,
                                                                  const Starting &starting) {
  std::unique_ptr<Stream> stream(new Stream(cancellation, deadline));
  const auto uri = exactUri(request.url);
  if (!uri)
    return tl::unexpected(TransportError{TransportError::Cause::BadUrl, false, uri.error()});
  const auto message = adopt(soup_message_new_from_uri(request.method, uri->get()));
  stream->message_ = message;
  soup_message_set_flags(message.get(), SOUP_MESSAGE_NO_REDIRECT);
  for (const auto &[name, value] : request.headers)
    soup_message_headers_append(soup_message_get_request_headers(message.get()), name.c_str(), value.c_str());
  if (!request.bearer.empty())
    addBearer(soup_message_get_request_headers(message.get()), request.bearer);
  if (request.body)
    soup_message_set_request_body_from_bytes(message.get(), "application/json", request.body.get());

  GErrorSlot error;
  {
    GCancellable *attempt = stream->attempt_->cancellable();
    const Departure departure(message.get(), attempt, request.publicOnly, stream->sent_, starting);
    stream->body_ = adopt(soup_session_send(session_.get(), message.get(), attempt, &error));
    if (const auto withheld = departure.withheld(); withheld && !stream->body_)
      return tl::unexpected(*withheld);
  }
  if (!stream->body_)
    return tl::unexpected(describe(error.get(), message.get(), stream->sent_, cancellation));
  stream->head_.status = soup_message_get_status(message.get());
  if (!stream->sent_) // libsoup passes on what a proxy says to the request for a tunnel
    return tl::unexpected(
        TransportError{TransportError::Cause::Unreachable, false,
                       "the proxy refuses the connection with HTTP status " + std::to_string(stream->head_.status)});
  stream->head_.headers = headersOf(message.get());
  GSocketAddress *peer = soup_message_get_remote_address(message.get());
  stream->head_.fromLocalAddress = peer && !whyNotPublic(peer).empty();
  return stream;
}

Exchanged<size_t> HttpSession::Stream::read(void *buffer, size_t size) {
  if (!ahead_.empty()) {
    const size_t count = ahead_.copy(static_cast<char *>(buffer), size);
    ahead_.erase(0, count);
    return count;
  }
  if (after_)
    return *after_;
  GErrorSlot error;
  const gssize count = g_input_stream_read(body_.get(), buffer, size, attempt_->cancellable(), &error);
  if (count < 0)
    return tl::unexpected(describe(error.get(), message_.get(), true, cancellation_));
  return static_cast<size_t>(count);
}

/// A read that does not wait. It alone sees what the TLS library has decrypted and nobody has taken yet, and the end of
/// a body whose connection waits for the next request. False: there is nothing.
bool HttpSession::Stream::lookAhead() {
  std::array<char, 16 * 1024> buffer;
  GErrorSlot error;
  const gssize count = g_pollable_input_stream_read_nonblocking(G_POLLABLE_INPUT_STREAM(body_.get()), buffer.data(),
                                                                buffer.size(), attempt_->cancellable(), &error);
  if (count > 0)
    ahead_.assign(buffer.data(), static_cast<size_t>(count));
  else if (count == 0)
    after_ = 0;
  else if (!g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    after_ = tl::unexpected(describe(error.get(), message_.get(), true, cancellation_));
  return after_ || count > 0;
}

bool HttpSession::Stream::waitUntilReadable(GCancellable *interruption, std::chrono::milliseconds longest) {
  if (!ahead_.empty() || after_)
    return true;
  if (!G_IS_POLLABLE_INPUT_STREAM(body_.get()))
    return true;
  GPollableInputStream *body = G_POLLABLE_INPUT_STREAM(body_.get());
  if (!g_pollable_input_stream_can_poll(body) || g_pollable_input_stream_is_readable(body) || lookAhead())
    return true;
  const CancellableFd stop(attempt_->cancellable());
  const CancellableFd interrupt(interruption);
  if (!stop.valid() || !interrupt.valid())
    return true; // no descriptor is left to wait for
  const std::unique_ptr<GMainContext, void (*)(GMainContext *)> context(g_main_context_new(), g_main_context_unref);
  enum class Event { None, Readable, Other };
  struct Watch {
    Watch(GMainContext *context, GSource *source) : source_(source) { g_source_attach(source, context); }
    Watch(const Watch &) = delete;
    Watch &operator=(const Watch &) = delete;
    ~Watch() {
      g_source_destroy(source_);
      g_source_unref(source_);
    }
    GSource *source_;
  };
  Event event = Event::None;
  GSource *bytes = g_pollable_input_stream_create_source(body, nullptr);
  g_source_set_callback(bytes, G_SOURCE_FUNC(+[](GObject *, gpointer to) -> gboolean {
                          *static_cast<Event *>(to) = Event::Readable;
                          return G_SOURCE_CONTINUE;
                        }),
                        &event, nullptr);
  GSource *stopped = stop.source(
      +[](int, GIOCondition, gpointer to) -> gboolean {
        *static_cast<Event *>(to) = Event::Readable; // read() will say why there is nothing to read
        return G_SOURCE_CONTINUE;
      },
      &event);
  GSource *interrupted = interrupt.source(
      +[](int, GIOCondition, gpointer to) -> gboolean {
        *static_cast<Event *>(to) = Event::Other;
        return G_SOURCE_CONTINUE;
      },
      &event);
  GSource *late = g_timeout_source_new(static_cast<guint>(longest.count()));
  g_source_set_callback(
      late,
      +[](gpointer to) -> gboolean {
        *static_cast<Event *>(to) = Event::Other;
        return G_SOURCE_CONTINUE;
      },
      &event, nullptr);
  const Watch watches[] = {
      {context.get(), bytes}, {context.get(), stopped}, {context.get(), interrupted}, {context.get(), late}};
  while (event == Event::None)
    g_main_context_iteration(context.get(), TRUE);
  return event == Event::Readable;
}

Exchanged<HttpResponse> HttpSession::exchange(const HttpRequest &request, Cancellation &cancellation,
                                              Clock::time_point deadline, size_t maximumBody,
                                              const Starting &starting) {
  auto stream = open(request, cancellation, deadline, starting);
  if (!stream)
    return tl::unexpected(std::move(stream.error()));
  HttpResponse response = (*stream)->head();
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    const auto count = (*stream)->read(buffer.data(), buffer.size());
    if (!count)
      return tl::unexpected(count.error());
    if (*count == 0)
      return response;
    if (response.body.size() + *count > maximumBody)
      return tl::unexpected(TransportError{TransportError::Cause::TooLarge, true,
                                           "the answer is larger than " + std::to_string(maximumBody) + " bytes"});
    response.body.append(buffer.data(), *count);
  }
}

} // namespace aimlvideo
