// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <libsoup/soup.h>

#include "support/home.h"

namespace aimlvideo::test {

/// A request as the server saw it.
struct Seen {
  std::string method;
  std::string target; ///< path and query, byte for byte
  std::string path;
  std::string query; ///< raw
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::string header(const char *name) const; ///< empty: absent
};

/// An answer that the test decides on. Methods are called on the server's thread, within the handler.
class Answer {
public:
  void json(unsigned status, const std::string &body);
  void send(unsigned status, const std::string &type, const std::string &body);
  void header(const char *name, const std::string &value);
  /// Accepts the request and sends nothing until the server is released or ends.
  void hold();
  /// Sends the head and `body` as the first part of `announced` bytes, then nothing more.
  void stall(const std::string &type, const std::string &body, size_t announced);
  /// Sends the head and then a byte every few milliseconds, so that the connection is never idle, until the server is
  /// released or ends.
  void drip(const std::string &type, size_t announced);
  /// Sends the answer when so much time has passed.
  void jsonAfter(std::chrono::milliseconds pause, unsigned status, const std::string &body);
  /// Sends the head and `body` as the first part of `announced` bytes, then closes the connection.
  void truncate(const std::string &type, const std::string &body, size_t announced);
  /// Closes the connection without an answer.
  void drop();
  /// Writes these bytes as they are and closes the connection.
  void raw(const std::string &bytes);

private:
  friend class TestServer;
  Answer(class TestServer &server, SoupServerMessage *message) : server_(server), message_(message) {}
  TestServer &server_;
  SoupServerMessage *message_;
};

/// A real HTTP server on loopback in a thread of its own.
///
/// The handler runs on that thread for each request. Tests wait for events (a request arrived, an answer is held),
/// never for time.
class TestServer {
public:
  using Handler = std::function<void(const Seen &, Answer &)>;

  explicit TestServer(Handler handler = {});
  /// With TLS; `url()` then starts with https.
  explicit TestServer(GTlsCertificate *certificate, Handler handler = {});
  TestServer(const TestServer &) = delete;
  TestServer &operator=(const TestServer &) = delete;
  ~TestServer();

  void setHandler(Handler handler);
  /// `http://127.0.0.1:PORT`
  std::string url() const { return (secure_ ? "https" : "http") + ("://127.0.0.1:" + std::to_string(port_)); }
  unsigned port() const { return port_; }

  std::vector<Seen> requests() const;
  size_t count(const std::string &method, const std::string &pathPrefix = "/") const;
  /// Blocks until so many requests of the kind have arrived; aborts the test after 50 s.
  void waitFor(const std::string &method, const std::string &pathPrefix, size_t number = 1) const;
  /// Blocks until an answer is held back; aborts the test after 50 s.
  void waitUntilHolding() const;
  /// Whether an answer is still held back.
  bool holding() const;
  /// Answers all that is held with 503.
  void release();

private:
  friend class Answer;
  void run();
  void handle(SoupServerMessage *message);
  void invoke(const std::function<void()> &call) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable arrived_;
  Handler handler_;
  std::vector<Seen> requests_;
  std::vector<SoupServerMessage *> held_;
  std::vector<GIOStream *> stolen_;
  GMainContext *context_ = nullptr;
  GMainLoop *loop_ = nullptr;
  SoupServer *server_ = nullptr;
  unsigned port_ = 0;
  bool secure_ = false;
  std::thread thread_;
};

/// The service with one well-behaved generation: create and poll over both families, the clip with Range. Every step
/// can be replaced.
class FakeService {
public:
  FakeService();

  PrivateHome home;
  TestServer server;
  TestServer::Handler onCreate;
  TestServer::Handler onPoll;
  TestServer::Handler onClip;
  TestServer::Handler onLogs; ///< lists nothing unless set
  /// Polls that say `generating` before the one that says `completed`.
  unsigned pollsUntilCompleted = 1;
  std::string clip = "\0\0\0\x18"
                     "ftypmp42"
                     "\0\0\0\0"
                     "mp42isom"; ///< bytes of the clip
  std::string clipPath = "/clips/a%2Fb.mp4?sig=x%2By%3D&e=1";

  std::string clipAddress; ///< where the clip is; empty: here, at `clipPath`

  size_t purchases() const { return server.count("POST"); }
  size_t polls() const;
  std::string clipUrl() const { return clipAddress.empty() ? server.url() + clipPath : clipAddress; }
  std::string completedReply(const std::string &id) const;
  /// A page of `/v2/logs` with these rows, separated by commas.
  static std::string logPage(const std::string &rows);
  static std::string logRow(const std::string &clientRequestId, const std::string &generationId,
                            const std::string &status = "succeeded");
  /// The client request id of a submission, counted from 0; empty: there was none.
  std::string submissionId(size_t number = 0) const;

  void serveClip(Answer &answer) const;

private:
  void handle(const Seen &request, Answer &answer);
};

} // namespace aimlvideo::test
