// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/clip_server.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

namespace aimlvideo::test {

namespace {

using Clock = std::chrono::steady_clock;

/// What a limited line passes at once.
constexpr size_t pacedPiece = 16 * 1024;
constexpr size_t piece = 1024 * 1024;

bool sendAll(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0)
      return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

bool isGone(int connection) {
  pollfd state{connection, 0, 0};
  return poll(&state, 1, 0) > 0 && (state.revents & (POLLERR | POLLHUP)) != 0;
}

/// Makes the close of a connection a reset, once the other side has all that was sent, or has left.
void resetOnClose(int connection) {
  for (int unsent = 1; unsent > 0 && ioctl(connection, SIOCOUTQ, &unsent) == 0 && !isGone(connection);)
    std::this_thread::yield();
  const linger none{1, 0};
  setsockopt(connection, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

} // namespace

std::string ClipRequest::header(const char *name) const {
  const std::string start = std::string("\r\n") + name + ":";
  for (size_t at = 0; (at = head.find("\r\n", at)) != std::string::npos; at += 2) {
    if (g_ascii_strncasecmp(head.c_str() + at, start.c_str(), start.size()) != 0)
      continue;
    const size_t value = head.find_first_not_of(' ', at + start.size());
    return head.substr(value, head.find("\r\n", value) - value);
  }
  return {};
}

ClipServer::ClipServer(std::string_view clip, Manners manners, ClipLine line)
    : clip_(clip), line_(line), manners_(std::move(manners)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (line_.bytesPerSecond > 0) {
    // a line holds little: what was sent and not yet read is not yet there
    const int small = 64 * 1024;
    setsockopt(listener_, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  g_assert(bind(listener_, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0);
  g_assert(listen(listener_, 64) == 0);
  socklen_t size = sizeof address;
  getsockname(listener_, reinterpret_cast<sockaddr *>(&address), &size);
  port_ = ntohs(address.sin_port);
  listening_ = std::thread([this] { accept(); });
}

ClipServer::~ClipServer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const int connection : connections_)
      shutdown(connection, SHUT_RDWR);
  }
  changed_.notify_all();
  shutdown(listener_, SHUT_RDWR);
  listening_.join();
  for (std::thread &thread : threads_)
    thread.join();
  close(listener_);
}

void ClipServer::accept() {
  for (;;) {
    const int connection = ::accept(listener_, nullptr, nullptr);
    if (connection < 0)
      return;
    const int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    if (ending_) {
      close(connection);
      return;
    }
    connections_.push_back(connection);
    threads_.emplace_back([this, connection] { serve(connection); });
  }
}

void ClipServer::serve(int connection) {
  for (bool open = true; open;) {
    const auto request = readRequest(connection);
    if (!request)
      break;
    if (line_.latency.count() > 0)
      std::this_thread::sleep_for(line_.latency); // it is what is measured
    ClipAnswer reply = usualAnswer(*request);
    Manners manners;
    {
      const std::lock_guard lock(mutex_);
      manners = manners_;
    }
    if (manners)
      manners(*request, reply);
    open = answer(connection, reply) && reply.keepAlive;
  }
  const std::lock_guard lock(mutex_);
  connections_.remove(connection);
  close(connection);
}

std::optional<ClipRequest> ClipServer::readRequest(int connection) {
  ClipRequest request;
  char c = 0;
  while (!request.head.ends_with("\r\n\r\n")) {
    if (recv(connection, &c, 1, 0) != 1)
      return {};
    request.head += c;
  }
  const size_t start = request.head.find(' ') + 1;
  request.target = request.head.substr(start, request.head.find(' ', start) - start);
  const std::string range = request.header("Range");
  if (range.starts_with("bytes=")) {
    request.ranged = true;
    request.first = std::strtoull(range.c_str() + 6, nullptr, 10);
    const size_t dash = range.find('-');
    if (dash + 1 < range.size())
      request.last = std::strtoull(range.c_str() + dash + 1, nullptr, 10);
  }
  const std::lock_guard lock(mutex_);
  request.number = requests_.size() + 1;
  requests_.push_back(request);
  changed_.notify_all();
  return request;
}

/// That of a good host: parts, and all of it for a part of another version.
ClipAnswer ClipServer::usualAnswer(const ClipRequest &request) const {
  ClipAnswer reply;
  reply.headers = {{"Content-Type", "video/mp4"}, {"ETag", "\"the-clip\""}, {"Accept-Ranges", "bytes"}};
  reply.end = clip_.size();
  const std::string version = request.header("If-Range");
  if (!request.ranged || (!version.empty() && version != "\"the-clip\""))
    return reply;
  if (request.first >= clip_.size()) {
    reply.status = 416;
    reply.text = "";
    reply.contentRange = "bytes */" + std::to_string(clip_.size());
    return reply;
  }
  reply.status = 206;
  reply.first = request.first;
  reply.end = std::min<uint64_t>(clip_.size(), request.last.value_or(clip_.size() - 1) + 1);
  reply.contentRange =
      "bytes " + std::to_string(reply.first) + "-" + std::to_string(reply.end - 1) + "/" + std::to_string(clip_.size());
  return reply;
}

bool ClipServer::answer(int connection, const ClipAnswer &reply) {
  if (reply.stallFirst) {
    stall();
    return false;
  }
  const std::string_view body =
      reply.text ? std::string_view(*reply.text) : clip_.substr(reply.first, reply.end - reply.first);
  std::string head = reply.version + " " + std::to_string(reply.status) + " Answer\r\n";
  for (const auto &[name, value] : reply.headers)
    head += name + ": " + value + "\r\n";
  if (!reply.contentRange.empty())
    head += "Content-Range: " + reply.contentRange + "\r\n";
  if (reply.tellsLength)
    head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  else if (reply.version == "HTTP/1.1")
    head += "Transfer-Encoding: chunked\r\n";
  if (!reply.keepAlive)
    head += "Connection: close\r\n";
  return sendAll(connection, head + "\r\n") && sendBody(connection, reply, body) &&
         (reply.tellsLength || reply.version == "HTTP/1.1");
}

bool ClipServer::sendBody(int connection, const ClipAnswer &reply, std::string_view body) {
  const uint64_t limit = std::min(reply.cutAfter.value_or(UINT64_MAX), reply.stallAfter.value_or(UINT64_MAX));
  const bool chunked = !reply.tellsLength && reply.version == "HTTP/1.1";
  const std::string_view sent = body.substr(0, static_cast<size_t>(std::min<uint64_t>(limit, body.size())));
  for (size_t at = 0; at < sent.size();) {
    const std::string_view part = sent.substr(at, line_.bytesPerSecond > 0 ? pacedPiece : piece);
    char size[32];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    if (chunked && !sendAll(connection, size))
      return false;
    if (!sendPaced(connection, part) || (chunked && !sendAll(connection, "\r\n")))
      return false;
    at += part.size();
  }
  if (reply.stallAfter && sent.size() == *reply.stallAfter)
    stall();
  if (reply.reset) {
    resetOnClose(connection);
    return false;
  }
  if (sent.size() < body.size() || (reply.cutAfter && sent.size() == *reply.cutAfter))
    return false;
  return !chunked || sendAll(connection, "0\r\n\r\n");
}

bool ClipServer::sendPaced(int connection, std::string_view bytes) {
  if (line_.bytesPerSecond > 0) {
    Clock::time_point mine;
    {
      const std::lock_guard lock(mutex_);
      const auto time = std::chrono::duration<double>(static_cast<double>(bytes.size()) / line_.bytesPerSecond);
      lineFree_ = std::max(lineFree_, Clock::now()) + std::chrono::duration_cast<Clock::duration>(time);
      mine = lineFree_;
    }
    std::this_thread::sleep_until(mine);
  }
  bytesSent_ += bytes.size();
  return sendAll(connection, bytes);
}

void ClipServer::stall() {
  std::unique_lock lock(mutex_);
  ++stalled_;
  changed_.notify_all();
  changed_.wait(lock, [this, before = releases_] { return ending_ || releases_ != before; });
  --stalled_;
}

void ClipServer::waitForStall(size_t number) const {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, std::chrono::seconds(20), [&] { return stalled_ >= number; })) {
    std::fprintf(stderr, "no answer was stalled in time\n");
    std::abort();
  }
}

size_t ClipServer::stalled() const {
  const std::lock_guard lock(mutex_);
  return stalled_;
}

size_t ClipServer::accepted() const {
  const std::lock_guard lock(mutex_);
  return threads_.size();
}

size_t ClipServer::connections() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

void ClipServer::release() {
  {
    const std::lock_guard lock(mutex_);
    ++releases_;
  }
  changed_.notify_all();
}

void ClipServer::setManners(Manners manners) {
  const std::lock_guard lock(mutex_);
  manners_ = std::move(manners);
}

std::vector<ClipRequest> ClipServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

} // namespace aimlvideo::test
