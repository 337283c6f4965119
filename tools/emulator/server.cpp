// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/server.h"

#include <cstdio>
#include <exception>
#include <utility>

#include "emulator/hosts.h"
#include "emulator/wire/main_loop.h"
#include "emulator/wire/mangle.h"

namespace aimlvideo::emulator {

namespace {

constexpr int connectionsInQueue = 1024; // that wait to be accepted
constexpr goffset longestBody = goffset(64) << 20;
constexpr char bodyLengthKey[] = "aimlapi-emulator-body-length";

std::string lowerCase(const char *text) {
  const GCharPtr lower(g_ascii_strdown(text, -1));
  return lower.get();
}

/// Counts the bytes of a clip that have left.
struct ByteCounter {
  Report *report;
  std::string owner;
};

/// Told by the server block by block.
void onBodyData(SoupServerMessage *, guint size, gpointer data) {
  auto *counter = static_cast<ByteCounter *>(data);
  counter->report->countClipBytes(size, counter->owner);
}

/// How much of a body has come. What is too long is not kept.
void countBody(SoupServerMessage *message, goffset length) {
  auto *object = G_OBJECT(message);
  auto *total = static_cast<goffset *>(g_object_get_data(object, bodyLengthKey));
  if (!total) {
    total = g_new0(goffset, 1);
    g_object_set_data_full(object, bodyLengthKey, total, g_free);
  }
  *total += length;
  if (*total <= longestBody)
    return;
  SoupMessageBody *body = soup_server_message_get_request_body(message);
  soup_message_body_set_accumulate(body, FALSE);
  soup_message_body_truncate(body);
}

bool isTooLong(SoupServerMessage *message) {
  auto *total = static_cast<goffset *>(g_object_get_data(G_OBJECT(message), bodyLengthKey));
  return total && *total > longestBody;
}

void onHeaders(SoupServerMessage *message, gpointer) {
  SoupMessageHeaders *headers = soup_server_message_get_request_headers(message);
  if (soup_message_headers_get_encoding(headers) != SOUP_ENCODING_CONTENT_LENGTH ||
      soup_message_headers_get_content_length(headers) <= longestBody)
    return;
  countBody(message, longestBody + 1);
  // a client that asks before it sends gets its answer before it sends
  if (soup_message_headers_get_expectations(headers) & SOUP_EXPECTATION_CONTINUE)
    soup_server_message_set_status(message, 413, nullptr);
}

void onChunk(SoupServerMessage *message, GBytes *chunk, gpointer) {
  countBody(message, goffset(g_bytes_get_size(chunk)));
}

void onStarted(SoupServer *, SoupServerMessage *message, gpointer) {
  g_signal_connect(message, "got-headers", G_CALLBACK(onHeaders), nullptr);
  g_signal_connect(message, "got-chunk", G_CALLBACK(onChunk), nullptr);
}

void freeCounter(gpointer data, GClosure *) {
  delete static_cast<ByteCounter *>(data);
}

} // namespace

Server::Server(const Options &options, ClipPtr fixedClip)
    : options_(options),
      service_(options, std::move(fixedClip)),
      router_(service_, wires_),
      /// Raw paths: the clip's address is signed, what the client sends must be seen as it is.
      server_(adopt(SOUP_SERVER(
          g_object_new(SOUP_TYPE_SERVER, "server-header", "aimlapi-emulator", "raw-paths", TRUE, nullptr)))) {
  soup_server_add_handler(server_.get(), nullptr, onRequest, this, nullptr);
  g_signal_connect(server_.get(), "request-started", G_CALLBACK(onStarted), nullptr);
}

Server::~Server() {
  soup_server_disconnect(server_.get());
}

tl::expected<void, std::string> Server::listen() {
  GErrorSlot error;
  auto flags = SoupServerListenOptions(0);
  if (!options_.tlsCertificate.empty()) {
    const auto certificate =
        adopt(g_tls_certificate_new_from_files(options_.tlsCertificate.c_str(), options_.tlsKey.c_str(), &error));
    if (!certificate)
      return tl::unexpected<std::string>(error.message());
    soup_server_set_tls_certificate(server_.get(), certificate.get());
    flags = SOUP_SERVER_LISTEN_HTTPS;
  }
  const auto address = adopt(g_inet_socket_address_new_from_string(options_.address.c_str(), guint(options_.port)));
  if (!address)
    return tl::unexpected("'" + options_.address + "' is no IP address");
  // A socket of its own: with the usual queue of ten, hundreds of clients that come at once would wait for seconds.
  const auto socket = adopt(
      g_socket_new(g_socket_address_get_family(address.get()), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error));
  if (!socket)
    return tl::unexpected<std::string>(error.message());
  g_socket_set_listen_backlog(socket.get(), connectionsInQueue);
  if (!g_socket_bind(socket.get(), address.get(), TRUE, &error) || !g_socket_listen(socket.get(), &error) ||
      !soup_server_listen_socket(server_.get(), socket.get(), flags, &error))
    return tl::unexpected<std::string>(error.message());
  return {};
}

std::string Server::address() const {
  GSList *uris = soup_server_get_uris(server_.get());
  if (!uris)
    return {};
  auto *uri = static_cast<GUri *>(uris->data);
  std::string host = g_uri_get_host(uri);
  if (host.find(':') != std::string::npos)
    host = "[" + host + "]";
  std::string text = std::string(g_uri_get_scheme(uri)) + "://" + host + ":" + std::to_string(g_uri_get_port(uri));
  g_slist_free_full(uris, reinterpret_cast<GDestroyNotify>(g_uri_unref));
  return text;
}

void Server::onRequest(SoupServer *, SoupServerMessage *message, const char *, GHashTable *, gpointer self) {
  // An exception must not unwind through libsoup's frames.
  try {
    static_cast<Server *>(self)->handle(message);
  } catch (const std::exception &problem) {
    g_warning("a request could not be handled: %s", problem.what());
    soup_server_message_set_status(message, 500, nullptr);
  }
}

Request Server::readRequest(SoupServerMessage *message) const {
  Request request;
  request.method = soup_server_message_get_method(message);
  GUri *uri = soup_server_message_get_uri(message);
  request.path = g_uri_get_path(uri);
  request.query = g_uri_get_query(uri) ? g_uri_get_query(uri) : "";
  SoupMessageHeadersIter iterator;
  soup_message_headers_iter_init(&iterator, soup_server_message_get_request_headers(message));
  const char *name = nullptr, *value = nullptr;
  while (soup_message_headers_iter_next(&iterator, &name, &value))
    request.headers[lowerCase(name)] = value;
  const std::string host = request.header("host");
  const char *scheme = options_.tlsCertificate.empty() ? "http://" : "https://";
  request.origin = host.empty() ? address() : scheme + host;
  if (!isTooLong(message))
    request.body = Bytes(adopt(soup_message_body_flatten(soup_server_message_get_request_body(message))));
  return request;
}

std::optional<Response> Server::refuse(const Request &request, SoupServerMessage *message) const {
  if (const std::string host = request.header("host"); !host.empty() && !isOwnHost(host, options_))
    return errorResponse(request, 403,
                         "Requests for the host '" + host.substr(0, 200) + "' are refused; see --allow-host");
  if (isTooLong(message))
    return errorResponse(request, 413, "request entity too large");
  // A page of a server on this machine may use the service, and asks first.
  if (request.method == "OPTIONS" && isOwnOrigin(request.header("origin"), options_)) {
    Response response;
    response.status = 204;
    response.header("Access-Control-Allow-Methods", "GET, HEAD, POST");
    response.header("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Client-Request-Id");
    return response;
  }
  return std::nullopt;
}

/// As the service, for pages of servers on this machine. Other pages may not read what is answered, nor send a key.
void Server::addCrossOrigin(const std::string &phase, const Request &request, Response &response) const {
  const std::string origin = request.header("origin");
  if (phase == "emulator" || origin.empty() || !isOwnOrigin(origin, options_))
    return;
  response.header("Access-Control-Allow-Origin", origin).header("Vary", "Origin");
  response.header("Access-Control-Expose-Headers",
                  "x-inference-id, x-client-request-id, x-aimlapi-credits-used, x-aimlapi-usd-spent");
}

void Server::handle(SoupServerMessage *message) {
  const gint64 start = g_get_monotonic_time();
  Request request = readRequest(message);
  const std::string phase = phaseOf(request);
  if (auto refusal = refuse(request, message)) {
    addCrossOrigin(phase, request, *refusal);
    log(request, *refusal, std::nullopt, start);
    soup_server_message_pause(message);
    return send(message, *refusal, nullptr);
  }
  const auto fault = phase == "emulator" ? std::nullopt : service_.faults.pick(phase, request);
  const auto held = share(message);
  soup_server_message_pause(message);
  Reply reply = [this, held, phase, request, fault, start](Response response) {
    deliver(held.get(), phase, request, fault, std::move(response), start);
  };
  const auto work = [this, phase, request, fault, reply] {
    if (fault && !fault->isAccepted())
      reply(refusalBy(*fault, request));
    else
      router_.handle(phase, request, fault ? &*fault : nullptr, reply);
  };
  const bool isOwn = phase == "emulator" || phase == "clip";
  if (options_.latency > 0 && !isOwn)
    runLater(options_.latency, work);
  else
    work();
}

void Server::deliver(SoupServerMessage *message, const std::string &phase, const Request &request,
                     const std::optional<Fault> &fault, Response response, gint64 start) {
  Wire wire;
  bool isMangled = false;
  std::string owner = service_.ownerOf(request);
  if (fault) {
    service_.report.countFault(fault->kind, owner);
    mangle(*fault, request, response, wire);
    isMangled = wire.isSilent || wire.bodyLimit || wire.declaredLength || wire.isChunked || wire.bytesPerSecond > 0;
  }
  addCrossOrigin(phase, request, response);
  const bool isClip = phase == "clip" && response.status < 300;
  if (isClip && options_.bandwidth > 0 && wire.bytesPerSecond <= 0) {
    wire.bytesPerSecond = options_.bandwidth;
    isMangled = true;
  }
  if (phase != "emulator")
    service_.report.countRequest(phase, wire.isSilent ? 0 : response.status, owner);
  log(request, response, fault, start);
  if (!isMangled)
    return send(message, response, isClip ? &owner : nullptr);
  wires_.answer(message, response, wire, [this, isClip, owner](size_t bytes) {
    if (isClip)
      service_.report.countClipBytes(bytes, owner);
  });
}

void Server::send(SoupServerMessage *message, const Response &response, const std::string *clipOwner) {
  soup_server_message_set_status(message, response.status, nullptr);
  SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
  for (const auto &[name, value] : response.headers)
    soup_message_headers_append(headers, name.c_str(), value.c_str());
  if (!response.contentType.empty() && response.status != 304)
    soup_message_headers_replace(headers, "Content-Type", response.contentType.c_str());
  // libsoup would cut out the range by itself, even if it is to be ignored.
  soup_message_headers_remove(soup_server_message_get_request_headers(message), "Range");
  if (response.status != 304 && response.status != 204)
    soup_message_headers_set_content_length(headers, goffset(response.body.size()));
  if (response.status != 304 && response.body.size() > 0)
    soup_message_body_append_bytes(soup_server_message_get_response_body(message), response.body.get());
  if (clipOwner)
    g_signal_connect_data(message, "wrote-body-data", G_CALLBACK(onBodyData),
                          new ByteCounter{&service_.report, *clipOwner}, freeCounter, GConnectFlags(0));
  soup_server_message_unpause(message);
}

void Server::log(const Request &request, const Response &response, const std::optional<Fault> &fault,
                 gint64 start) const {
  if (!options_.verbose)
    return;
  const double milliseconds = double(g_get_monotonic_time() - start) / 1000;
  std::fprintf(stderr, "%s %s %s %u %zu bytes %.1f ms%s%s\n", isoTime(g_get_real_time()).c_str(),
               request.method.c_str(), request.target().c_str(), response.status, response.body.size(), milliseconds,
               fault ? " fault " : "", fault ? fault->kind.c_str() : "");
}

} // namespace aimlvideo::emulator
