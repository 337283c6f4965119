// SPDX-License-Identifier: LGPL-2.1-or-later
#include "metrics_server.h"

#include <utility>

#include "exposition.h"

namespace aimlvideo::cli {

namespace {

Result<GRefPtr<GSocketAddress>> socketAddress(const std::string &text, Reach reach) {
  GErrorSlot error;
  const auto parsed = adopt(G_NETWORK_ADDRESS(g_network_address_parse(text.c_str(), 0, &error)));
  const guint16 port = parsed ? g_network_address_get_port(parsed.get()) : 0;
  if (!parsed || !text.ends_with(":" + std::to_string(port)))
    return failure(ErrorKind::BadRequest, "\"" + text + "\" is no address to listen on",
                   "it has to be such as 127.0.0.1:9470 or [::1]:9470");
  const std::string host = g_network_address_get_hostname(parsed.get());
  const auto address = adopt(host == "localhost" ? g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4)
                                                 : g_inet_address_new_from_string(host.c_str()));
  if (!address)
    return failure(ErrorKind::BadRequest, "\"" + text + "\" is no address to listen on",
                   "\"" + host + "\" is neither an IP address nor localhost");
  if (reach == Reach::Loopback && !g_inet_address_get_is_loopback(address.get()))
    return failure(ErrorKind::BadRequest, "the metrics are not served on " + text,
                   "other machines could read what this user spends",
                   "Name an address of this machine alone, such as 127.0.0.1, or add --allow-remote");
  return adopt(G_SOCKET_ADDRESS(g_inet_socket_address_new(address.get(), port)));
}

/// No web page can pose as this server: a name of the page's own that leads here is not one of this machine.
bool isAskedByOwnName(SoupServerMessage *message) {
  const char *host = g_uri_get_host(soup_server_message_get_uri(message));
  const auto address = adopt(host ? g_inet_address_new_from_string(host) : nullptr);
  return address ? g_inet_address_get_is_loopback(address.get()) : g_strcmp0(host, "localhost") == 0;
}

std::string urlOf(GSocketAddress *address) {
  auto *internet = G_INET_SOCKET_ADDRESS(address);
  const GCharPtr host(g_inet_address_to_string(g_inet_socket_address_get_address(internet)));
  const bool isIpv6 = g_socket_address_get_family(address) == G_SOCKET_FAMILY_IPV6;
  return std::string("http://") + (isIpv6 ? "[" : "") + host.get() + (isIpv6 ? "]" : "") + ":" +
         std::to_string(g_inet_socket_address_get_port(internet)) + "/metrics";
}

void respond(SoupServerMessage *message, unsigned status, const char *type, const std::string &text) {
  soup_message_headers_replace(soup_server_message_get_response_headers(message), "Connection", "close");
  soup_server_message_set_status(message, status, nullptr);
  soup_server_message_set_response(message, type, SOUP_MEMORY_COPY, text.data(), text.size());
}

/// Before the body of a request comes, which nobody needs.
void keepNoBody(SoupServer *, SoupServerMessage *message, const char *, GHashTable *, gpointer) {
  soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
}

} // namespace

/// An open one. Lives until the connection has gone.
struct MetricsServer::Connection {
  MetricsServer &server;
  GSocketConnection *connection;
  guint timer;

  static gboolean onTimeout(gpointer self) {
    auto *over = static_cast<Connection *>(self);
    over->timer = 0;
    g_socket_shutdown(g_socket_connection_get_socket(over->connection), TRUE, TRUE, nullptr);
    return G_SOURCE_REMOVE;
  }

  static void onGone(gpointer self, GObject *) {
    const std::unique_ptr<Connection> gone(static_cast<Connection *>(self));
    if (gone->timer != 0)
      g_source_remove(gone->timer);
    --gone->server.open_;
  }
};

MetricsServer::MetricsServer(Reach reach, std::string folder)
    : reach_(reach),
      folder_(std::move(folder)),
      server_(adopt(soup_server_new("server-header", "aimlvideo", nullptr))),
      service_(adopt(g_socket_service_new())) {
  soup_server_add_early_handler(server_.get(), nullptr, keepNoBody, nullptr, nullptr);
  soup_server_add_handler(server_.get(), nullptr, onRequest, this, nullptr);
  g_signal_connect(service_.get(), "incoming", G_CALLBACK(onIncoming), this);
}

MetricsServer::~MetricsServer() {
  inbox_->close();
  g_socket_service_stop(service_.get());
  g_socket_listener_close(G_SOCKET_LISTENER(service_.get()));
  waiting_.clear();
  soup_server_disconnect(server_.get());
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::listen(const std::string &address, Reach reach,
                                                             std::string folder) {
  const auto wanted = socketAddress(address, reach);
  if (!wanted)
    return tl::unexpected(wanted.error());
  std::unique_ptr<MetricsServer> server(new MetricsServer(reach, std::move(folder)));
  GErrorSlot error;
  GSocketAddress *bound = nullptr;
  if (!g_socket_listener_add_address(G_SOCKET_LISTENER(server->service_.get()), wanted->get(), G_SOCKET_TYPE_STREAM,
                                     G_SOCKET_PROTOCOL_TCP, nullptr, &bound, &error))
    return failure(ErrorKind::Unreachable, "nothing can listen on " + address, error.message(),
                   "Name another address or port");
  server->url_ = urlOf(adopt(bound).get());
  return server;
}

gboolean MetricsServer::onIncoming(GSocketService *, GSocketConnection *connection, GObject *, gpointer self) {
  auto &server = *static_cast<MetricsServer *>(self);
  if (server.open_ >= mostConnections)
    return TRUE; // it goes with its last reference
  ++server.open_;
  auto *opened = new Connection{server, connection, 0};
  opened->timer = g_timeout_add_seconds(longestConnection, Connection::onTimeout, opened);
  g_object_weak_ref(G_OBJECT(connection), Connection::onGone, opened);
  const auto local = adopt(g_socket_connection_get_local_address(connection, nullptr));
  const auto remote = adopt(g_socket_connection_get_remote_address(connection, nullptr));
  soup_server_accept_iostream(server.server_.get(), G_IO_STREAM(connection), local.get(), remote.get(), nullptr);
  return TRUE;
}

void MetricsServer::onRequest(SoupServer *, SoupServerMessage *message, const char *path, GHashTable *, gpointer self) {
  const std::string method = soup_server_message_get_method(message);
  auto &server = *static_cast<MetricsServer *>(self);
  if (server.reach_ == Reach::Loopback && !isAskedByOwnName(message))
    return respond(message, SOUP_STATUS_FORBIDDEN, "text/plain", "Ask for 127.0.0.1, [::1] or localhost.\n");
  if (path != std::string("/metrics"))
    return respond(message, SOUP_STATUS_NOT_FOUND, "text/plain", "The metrics are at /metrics.\n");
  if (method != "GET" && method != "HEAD") {
    soup_message_headers_replace(soup_server_message_get_response_headers(message), "Allow", "GET, HEAD");
    return respond(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "text/plain", "Only GET and HEAD are answered.\n");
  }
  server.answerLater(message);
}

void MetricsServer::answerLater(SoupServerMessage *message) {
  soup_server_message_pause(message);
  waiting_.push_back(share(message));
  if (waiting_.size() > 1)
    return; // the count that is under way is for all
  runInBackground([this, folder = folder_, inbox = inbox_] {
    const auto tally = tallyLedger(folder);
    const unsigned status = tally ? SOUP_STATUS_OK : SOUP_STATUS_SERVICE_UNAVAILABLE;
    std::string text = tally ? expositionOf(metricsOf(*tally)) : tally.error().text() + "\n";
    inbox->post([this, status, answered = std::move(text)] { answer(status, answered); });
  });
}

void MetricsServer::answer(unsigned status, const std::string &text) {
  const char *type = status == SOUP_STATUS_OK ? expositionType : "text/plain; charset=utf-8";
  for (const auto &message : std::exchange(waiting_, {})) {
    respond(message.get(), status, type, text);
    soup_server_message_unpause(message.get());
  }
}

} // namespace aimlvideo::cli
