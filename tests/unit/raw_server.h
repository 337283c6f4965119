// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

namespace aimlvideo::test {

/// A socket that keeps the very bytes of each request's head and answers all alike. No HTTP library in between could
/// put an address into another form. A server whose answer is no HTTP speaks first.
class RawServer {
public:
  explicit RawServer(std::string answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    g_assert(bind(listener_, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0);
    g_assert(listen(listener_, 8) == 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr *>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  RawServer(const RawServer &) = delete;
  RawServer &operator=(const RawServer &) = delete;
  ~RawServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// One head for each connection, from the request line to the empty line.
  std::vector<std::string> heads() const {
    const std::lock_guard lock(mutex_);
    return heads_;
  }

private:
  void run() {
    for (;;) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0)
        return;
      std::string head;
      char c = 0;
      while (answer_.starts_with("HTTP/") && !head.ends_with("\r\n\r\n") && recv(connection, &c, 1, 0) == 1)
        head += c;
      {
        const std::lock_guard lock(mutex_);
        heads_.push_back(head);
      }
      send(connection, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      close(connection);
    }
  }

  const std::string answer_;
  int listener_ = -1;
  unsigned port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> heads_;
  std::thread thread_;
};

/// The address of a port on which nobody listens.
inline std::string deadAddress() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  g_assert(bind(descriptor, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0);
  socklen_t size = sizeof address;
  getsockname(descriptor, reinterpret_cast<sockaddr *>(&address), &size);
  close(descriptor);
  return "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

} // namespace aimlvideo::test
