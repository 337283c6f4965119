// SPDX-License-Identifier: LGPL-2.1-or-later
#include "server.h"

#include <cstdio>
#include <exception>
#include <utility>

#include "mangle.h"

namespace emulator {
namespace {

constexpr int connectionsInQueue = 1024; // that wait to be accepted

using MessagePtr = std::shared_ptr<SoupServerMessage>;

std::string lowerCase(const char *text) {
  CharPtr lower(g_ascii_strdown(text, -1));
  return lower.get();
}

// Counts the bytes of a clip that have left.
struct ByteCounter {
  Report *report;
  std::string owner;
};

// Told by the server block by block.
void onBodyData(SoupServerMessage *, guint size, gpointer data) {
  auto *counter = static_cast<ByteCounter *>(data);
  counter->report->countClipBytes(size, counter->owner);
}

void freeCounter(gpointer data, GClosure *) {
  delete static_cast<ByteCounter *>(data);
}

} // namespace

Server::Server(const Options &options, ClipPtr fixedClip)
    : options_(options),
      service_(options, std::move(fixedClip)),
      router_(service_, wires_),
      // Raw paths: the clip's address is signed, what the client sends must be seen as it is.
      server_(SOUP_SERVER(
          g_object_new(SOUP_TYPE_SERVER, "server-header", "aimlapi-emulator", "raw-paths", TRUE, nullptr))) {
  soup_server_add_handler(server_.get(), nullptr, onRequest, this, nullptr);
}

Server::~Server() {
  soup_server_disconnect(server_.get());
}

tl::expected<void, std::string> Server::listen() {
  ErrorPtr error;
  auto flags = SoupServerListenOptions(0);
  if (!options_.tlsCertificate.empty()) {
    ObjectPtr<GTlsCertificate> certificate(
        g_tls_certificate_new_from_files(options_.tlsCertificate.c_str(), options_.tlsKey.c_str(), ErrorOut(error)));
    if (!certificate)
      return tl::unexpected<std::string>(error->message);
    soup_server_set_tls_certificate(server_.get(), certificate.get());
    flags = SOUP_SERVER_LISTEN_HTTPS;
  }
  ObjectPtr<GSocketAddress> address(
      g_inet_socket_address_new_from_string(options_.address.c_str(), guint(options_.port)));
  if (!address)
    return tl::unexpected("'" + options_.address + "' is no IP address");
  // A socket of its own: with the usual queue of ten, hundreds of clients that come at once would wait for seconds.
  ObjectPtr<GSocket> socket(g_socket_new(g_socket_address_get_family(address.get()), G_SOCKET_TYPE_STREAM,
                                         G_SOCKET_PROTOCOL_TCP, ErrorOut(error)));
  if (!socket)
    return tl::unexpected<std::string>(error->message);
  g_socket_set_listen_backlog(socket.get(), connectionsInQueue);
  if (!g_socket_bind(socket.get(), address.get(), TRUE, ErrorOut(error)) ||
      !g_socket_listen(socket.get(), ErrorOut(error)) ||
      !soup_server_listen_socket(server_.get(), socket.get(), flags, ErrorOut(error)))
    return tl::unexpected<std::string>(error->message);
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
  std::string host = request.header("host");
  const char *scheme = options_.tlsCertificate.empty() ? "http://" : "https://";
  request.origin = host.empty() ? address() : scheme + host;
  SoupMessageBody *body = soup_server_message_get_request_body(message);
  request.body = Bytes(soup_message_body_flatten(body));
  return request;
}

void Server::handle(SoupServerMessage *message) {
  gint64 start = g_get_monotonic_time();
  Request request = readRequest(message);
  std::string phase = phaseOf(request);
  auto fault = phase == "emulator" ? std::nullopt : service_.faults.pick(phase, request);
  MessagePtr held(SOUP_SERVER_MESSAGE(g_object_ref(message)), g_object_unref);
  soup_server_message_pause(message);
  Reply reply = [this, held, phase, request, fault, start](Response response) {
    deliver(held.get(), phase, request, fault, std::move(response), start);
  };
  auto work = [this, phase, request, fault, reply] {
    if (fault && !fault->isAccepted())
      reply(refusalBy(*fault, request));
    else
      router_.handle(phase, request, fault ? &*fault : nullptr, reply);
  };
  bool isOwn = phase == "emulator" || phase == "clip";
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
  bool isClip = phase == "clip" && response.status < 300;
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
  // libsoup would cut the range out by itself, even where it is to be ignored.
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
  double milliseconds = double(g_get_monotonic_time() - start) / 1000;
  std::fprintf(stderr, "%s %s %s %u %zu bytes %.1f ms%s%s\n", isoTime(g_get_real_time()).c_str(),
               request.method.c_str(), request.target().c_str(), response.status, response.body.size(), milliseconds,
               fault ? " fault " : "", fault ? fault->kind.c_str() : "");
}

} // namespace emulator
