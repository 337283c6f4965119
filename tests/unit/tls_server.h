// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <string>
#include <thread>

#include <gio/gio.h>

#include "base/glib_ptr.h"

namespace aimlvideo::test {

/// A host that offers HTTP/2 and HTTP/1.1 over TLS, answers one request in HTTP/1.1, and remembers what was chosen.
class TlsServer {
public:
  explicit TlsServer(GTlsCertificate *certificate) : certificate_(share(certificate)) {
    port_ = g_socket_listener_add_any_inet_port(listener_.get(), nullptr, nullptr);
    g_assert(port_ != 0);
    thread_ = std::thread([this] {
      if (const auto connection = adopt(g_socket_listener_accept(listener_.get(), nullptr, stop_.get(), nullptr)))
        serve(connection.get());
    });
  }
  TlsServer(const TlsServer &) = delete;
  TlsServer &operator=(const TlsServer &) = delete;
  ~TlsServer() {
    g_cancellable_cancel(stop_.get());
    if (thread_.joinable())
      thread_.join();
  }

  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }

  /// The protocol that the client chose; waits for the connection's end.
  std::string protocol() {
    thread_.join();
    return protocol_;
  }

private:
  void serve(GSocketConnection *connection) {
    const auto tls = adopt(g_tls_server_connection_new(G_IO_STREAM(connection), certificate_.get(), nullptr));
    GTlsConnection *ends = G_TLS_CONNECTION(tls.get());
    const char *offered[] = {"h2", "http/1.1", nullptr};
    g_tls_connection_set_advertised_protocols(ends, offered);
    if (!g_tls_connection_handshake(ends, stop_.get(), nullptr))
      return;
    if (const char *chosen = g_tls_connection_get_negotiated_protocol(ends))
      protocol_ = chosen;
    std::array<char, 4096> request;
    constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    if (g_input_stream_read(g_io_stream_get_input_stream(G_IO_STREAM(ends)), request.data(), request.size(),
                            stop_.get(), nullptr) > 0)
      g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(ends)), answer.data(), answer.size(), nullptr,
                                stop_.get(), nullptr);
    g_io_stream_close(G_IO_STREAM(ends), nullptr, nullptr);
  }

  GRefPtr<GTlsCertificate> certificate_;
  GRefPtr<GSocketListener> listener_ = adopt(g_socket_listener_new());
  GRefPtr<GCancellable> stop_ = adopt(g_cancellable_new());
  std::string protocol_;
  guint16 port_ = 0;
  std::thread thread_;
};

} // namespace aimlvideo::test
