// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace aimlvideo::test {

/// A request to a ClipServer.
struct ClipRequest {
  size_t number = 0; ///< 1 is the first
  std::string target;
  std::string head; ///< all of it, as it came
  bool ranged = false;
  uint64_t first = 0;
  std::optional<uint64_t> last;

  std::string header(const char *name) const; ///< empty: absent
};

/// What a ClipServer answers, before it is put into bytes. A test changes what it likes.
struct ClipAnswer {
  unsigned status = 200;
  std::string version = "HTTP/1.1";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string contentRange; ///< empty: none
  uint64_t first = 0;       ///< of the clip's bytes that follow
  uint64_t end = 0;
  std::optional<std::string> text; ///< instead of bytes of the clip
  bool tellsLength = true;         ///< Content-Length; else chunked, or to the end of the connection in HTTP/1.0
  bool keepAlive = true;
  std::optional<uint64_t> cutAfter;   ///< the connection is closed after so many bytes of the body
  bool reset = false;                 ///< the connection is reset where it is cut, or in place of the body's end
  bool stallFirst = false;            ///< nothing comes at all, until the server ends
  std::optional<uint64_t> stallAfter; ///< nothing more comes after so many bytes, until the server ends
};

/// What lies between a ClipServer and its clients.
struct ClipLine {
  std::chrono::milliseconds latency{0}; ///< before each answer
  double bytesPerSecond = 0;            ///< 0: no limit
};

/// A host of one clip over plain sockets, since real hosts do what an HTTP library would not. Each connection has a
/// thread of its own; the rate is shared by all, as by a line.
class ClipServer {
public:
  using Manners = std::function<void(const ClipRequest &, ClipAnswer &)>;

  /// `clip` must outlive the server.
  explicit ClipServer(std::string_view clip, Manners manners = {}, ClipLine line = {});
  ClipServer(const ClipServer &) = delete;
  ClipServer &operator=(const ClipServer &) = delete;
  ~ClipServer();

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<ClipRequest> requests() const;
  /// Bytes of bodies that were handed to the system.
  uint64_t bytesSent() const { return bytesSent_; }
  /// Blocks until so many answers are stalled; aborts the test after 20 s.
  void waitForStall(size_t number = 1) const;
  size_t stalled() const;
  /// So many connections are open.
  size_t accepted() const; ///< connections so far
  size_t connections() const;
  /// Ends all answers that are stalled.
  void release();
  void setManners(Manners manners);

private:
  void accept();
  void serve(int connection);
  std::optional<ClipRequest> readRequest(int connection);
  ClipAnswer usualAnswer(const ClipRequest &request) const;
  bool answer(int connection, const ClipAnswer &answer);
  bool sendBody(int connection, const ClipAnswer &answer, std::string_view body);
  bool sendPaced(int connection, std::string_view bytes);
  void stall();

  const std::string_view clip_;
  const ClipLine line_;
  int listener_ = -1;
  unsigned port_ = 0;
  std::atomic<uint64_t> bytesSent_ = 0;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Manners manners_;
  std::vector<ClipRequest> requests_;
  std::list<int> connections_;
  std::list<std::thread> threads_;
  std::chrono::steady_clock::time_point lineFree_{};
  size_t stalled_ = 0;
  unsigned releases_ = 0;
  bool ending_ = false;
  std::thread listening_;
};

} // namespace aimlvideo::test
