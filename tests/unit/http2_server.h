// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gio/gio.h>

#include "base/glib_ptr.h"

namespace aimlvideo::test {

/// A host that speaks HTTP/2 frame by frame, so that it can end a stream or a connection as a test wants. It reads no
/// header but the method, which HPACK has an index for.
class Http2Server {
public:
  /// One request, all of which has arrived.
  class Stream {
  public:
    const bool isPost;
    const unsigned number; ///< of the request at this server, from 1

    void answer(unsigned status, const std::string &json) {
      const std::string code = std::to_string(status);
      // `:status` as a literal under its name's index, without the Huffman code
      write(headersFrame, endOfHeaders, id_, "\x08" + std::string(1, static_cast<char>(code.size())) + code);
      write(dataFrame, endOfStream, id_, json);
    }
    void reset(uint32_t code) { write(resetFrame, 0, id_, bigEndian(code)); }
    /// The connection ends, and streams above `last` were not looked at.
    void goAway(uint32_t last, uint32_t code) { write(goAwayFrame, 0, 0, bigEndian(last) + bigEndian(code)); }
    uint32_t id() const { return id_; }

  private:
    friend class Http2Server;
    Stream(GOutputStream *output, uint32_t id, bool post, unsigned count)
        : isPost(post), number(count), output_(output), id_(id) {}
    void write(unsigned type, unsigned flags, uint32_t id, const std::string &payload) {
      Http2Server::write(output_, type, flags, id, payload);
    }
    GOutputStream *output_;
    uint32_t id_;
  };
  static constexpr uint32_t internalError = 2;
  static constexpr uint32_t refusedStream = 7;
  static constexpr uint32_t wantsHttp1 = 13;

  /// `handler` is called on a connection's thread.
  Http2Server(GTlsCertificate *certificate, std::function<void(Stream &)> handler)
      : certificate_(share(certificate)), handler_(std::move(handler)) {
    port_ = g_socket_listener_add_any_inet_port(listener_.get(), nullptr, nullptr);
    g_assert(port_ != 0);
    acceptor_ = std::thread([this] {
      while (const auto connection = adopt(g_socket_listener_accept(listener_.get(), nullptr, stop_.get(), nullptr)))
        threads_.emplace_back([this, connection] { serve(connection.get()); });
    });
  }
  Http2Server(const Http2Server &) = delete;
  Http2Server &operator=(const Http2Server &) = delete;
  ~Http2Server() {
    g_cancellable_cancel(stop_.get());
    acceptor_.join();
    for (std::thread &thread : threads_)
      thread.join();
  }

  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
  unsigned posts() const { return posts_; }
  unsigned requests() const { return requests_; }

private:
  static constexpr unsigned dataFrame = 0, headersFrame = 1, resetFrame = 3, settingsFrame = 4, goAwayFrame = 7;
  static constexpr unsigned endOfStream = 1, endOfHeaders = 4, padded = 8, hasPriority = 0x20;

  static std::string bigEndian(uint32_t number, int bytes = 4) {
    std::string text;
    for (int i = bytes - 1; i >= 0; --i)
      text += static_cast<char>(number >> (8 * i) & 0xff);
    return text;
  }

  static void write(GOutputStream *output, unsigned type, unsigned flags, uint32_t id, const std::string &payload) {
    const std::string frame = bigEndian(static_cast<uint32_t>(payload.size()), 3) + static_cast<char>(type) +
                              static_cast<char>(flags) + bigEndian(id) + payload;
    g_output_stream_write_all(output, frame.data(), frame.size(), nullptr, nullptr, nullptr);
  }

  bool read(GInputStream *input, std::string &bytes, size_t count) {
    bytes.assign(count, '\0');
    gsize got = 0;
    return g_input_stream_read_all(input, bytes.data(), count, &got, stop_.get(), nullptr) && got == count;
  }

  void serve(GSocketConnection *connection) {
    const auto tls = adopt(g_tls_server_connection_new(G_IO_STREAM(connection), certificate_.get(), nullptr));
    const char *protocols[] = {"h2", "http/1.1", nullptr};
    g_tls_connection_set_advertised_protocols(G_TLS_CONNECTION(tls.get()), protocols);
    if (g_tls_connection_handshake(G_TLS_CONNECTION(tls.get()), stop_.get(), nullptr))
      talk(tls.get());
    g_io_stream_close(G_IO_STREAM(tls.get()), nullptr, nullptr);
  }

  void talk(GIOStream *stream) {
    GInputStream *input = g_io_stream_get_input_stream(stream);
    GOutputStream *output = g_io_stream_get_output_stream(stream);
    std::string bytes;
    constexpr std::string_view preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const bool whole = read(input, bytes, preface.size());
    if (!whole || bytes != preface) {
      requests_ += bytes[0] != '\0'; // HTTP/1.1, which nobody here answers
      return;
    }
    write(output, settingsFrame, 0, 0, "");
    bool post = false;
    while (read(input, bytes, 9)) {
      const auto at = [&bytes](size_t i) {
        return static_cast<uint32_t>(static_cast<unsigned char>(bytes[i]));
      };
      const size_t size = at(0) << 16 | at(1) << 8 | at(2);
      const unsigned type = at(3);
      const unsigned flags = at(4);
      const uint32_t id = (at(5) & 0x7f) << 24 | at(6) << 16 | at(7) << 8 | at(8);
      if (!read(input, bytes, size))
        return;
      if (type == settingsFrame && !(flags & 1))
        write(output, settingsFrame, 1, 0, "");
      if (type == headersFrame) {
        const size_t start = (flags & padded ? 1 : 0) + (flags & hasPriority ? 5 : 0);
        post = bytes.substr(start, 3).find('\x83') != std::string::npos; // `:method: POST`
      }
      if ((type != headersFrame && type != dataFrame) || !(flags & endOfStream))
        continue;
      posts_ += post;
      Stream request(output, id, post, ++requests_);
      handler_(request);
    }
  }

  GRefPtr<GTlsCertificate> certificate_;
  const std::function<void(Stream &)> handler_;
  GRefPtr<GSocketListener> listener_ = adopt(g_socket_listener_new());
  GRefPtr<GCancellable> stop_ = adopt(g_cancellable_new());
  std::atomic<unsigned> posts_ = 0;
  std::atomic<unsigned> requests_ = 0;
  unsigned port_ = 0;
  std::vector<std::thread> threads_; ///< of the acceptor, until it has ended
  std::thread acceptor_;
};

} // namespace aimlvideo::test
