// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <set>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <aimlvideo/job.h>

#include "bench.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

constexpr unsigned generations = 200;

/// A host that says that it keeps connections, and closes them when it likes.
class HastyHost {
public:
  enum class Closes {
    IdleAtPurchase, ///< all idle ones, whenever a submission arrives
    AfterAnswer,    ///< each, right after its answer
  };

  explicit HastyHost(Closes closes) : closes_(closes), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    g_assert(bind(listener_, reinterpret_cast<sockaddr *>(&address), size) == 0);
    g_assert(listen(listener_, 512) == 0);
    getsockname(listener_, reinterpret_cast<sockaddr *>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  HastyHost(const HastyHost &) = delete;
  HastyHost &operator=(const HastyHost &) = delete;
  ~HastyHost() {
    eventfd_write(stop_, 1);
    thread_.join();
    for (const auto &[descriptor, connection] : connections_)
      close(descriptor);
    close(listener_);
    close(stop_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // for after its end, or with nothing under way
  std::map<std::string, unsigned> purchases; ///< by the body
  size_t closedIdle = 0;                     ///< connections that had been answered on and were idle
  size_t reused = 0;                         ///< requests on a connection that had been answered on

private:
  struct Connection {
    std::string read;
    bool answered = false;
  };

  void run() {
    for (;;) {
      std::vector<pollfd> watched{{stop_, POLLIN, 0}, {listener_, POLLIN, 0}};
      for (const auto &[descriptor, connection] : connections_)
        watched.push_back({descriptor, POLLIN, 0});
      poll(watched.data(), watched.size(), -1);
      if (watched[0].revents)
        return;
      if (watched[1].revents)
        if (const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC); descriptor >= 0)
          connections_[descriptor];
      for (size_t i = 2; i < watched.size(); ++i)
        if (watched[i].revents && connections_.contains(watched[i].fd))
          receive(watched[i].fd);
    }
  }

  void drop(int descriptor) {
    connections_.erase(descriptor);
    close(descriptor);
  }

  void receive(int descriptor) {
    Connection &connection = connections_[descriptor];
    char buffer[16 * 1024];
    const ssize_t count = recv(descriptor, buffer, sizeof buffer, 0);
    if (count <= 0)
      return drop(descriptor);
    if (connection.read.empty() && connection.answered)
      ++reused;
    connection.read.append(buffer, static_cast<size_t>(count));
    const size_t end = connection.read.find("\r\n\r\n");
    if (end == std::string::npos)
      return;
    const std::string head = connection.read.substr(0, end);
    const size_t length = head.find("Content-Length: ");
    const size_t size = length == std::string::npos ? 0 : std::stoul(head.substr(length + 16));
    if (connection.read.size() < end + 4 + size)
      return;
    const std::string body = connection.read.substr(end + 4);
    connection.read.clear();
    const bool purchase = head.starts_with("POST ");
    if (purchase)
      ++purchases[body];
    if (purchase && closes_ == Closes::IdleAtPurchase)
      closeIdle(descriptor);
    answer(descriptor, head, purchase);
    connection.answered = true;
    if (closes_ == Closes::AfterAnswer)
      drop(descriptor);
  }

  void closeIdle(int except) {
    std::vector<int> idle;
    for (const auto &[descriptor, connection] : connections_)
      if (descriptor != except && connection.answered && connection.read.empty())
        idle.push_back(descriptor);
    closedIdle += idle.size();
    for (const int descriptor : idle)
      drop(descriptor); // with what may have just come on it, unread: the client gets a reset
  }

  void answer(int descriptor, const std::string &head, bool purchase) {
    std::string body;
    std::string type = "application/json";
    if (purchase) {
      body = R"({"id":"gen-)" + std::to_string(purchases.size()) + R"(:model","status":"queued"})";
    } else if (const size_t id = head.find("generation_id="); id != std::string::npos) {
      const std::string name = head.substr(id + 14, head.find(' ', id) - id - 14);
      const bool done = ++polls_[name] > 2;
      body = done ? R"({"id":"x","status":"completed","video":{"url":")" + url() + R"(/clip.mp4"}})"
                  : R"({"id":"x","status":"generating"})";
    } else {
      type = "video/mp4";
      body.assign("\0\0\0\x18"
                  "ftypmp42\0\0\0\0mp42isom\0\0\0\x08moov\0\0\0\x10mdatcontents",
                  48);
    }
    const std::string whole = "HTTP/1.1 200 OK\r\nContent-Type: " + type +
                              "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    send(descriptor, whole.data(), whole.size(), MSG_NOSIGNAL);
  }

  const Closes closes_;
  const int listener_;
  const int stop_ = eventfd(0, EFD_CLOEXEC);
  unsigned port_ = 0;
  std::map<int, Connection> connections_;
  std::map<std::string, unsigned> polls_;
  std::thread thread_;
};

/// Hears of all jobs.
class Crowd : public JobObserver {
public:
  void completed(const Status &status) override {
    retries += status.retries;
    end();
  }
  void failed(const Status &, const Error &error) override {
    g_printerr("%s\n", error.text().c_str());
    ++failures;
    end();
  }
  void logged(LogLevel, const std::string &line) override {
    if (contains(line, "failed"))
      g_printerr("%s\n", line.c_str());
  }
  void waitForAll() {
    std::unique_lock lock(mutex_);
    allEnded_.wait(lock, [this] { return ended_ == generations; });
  }

  // of the network thread
  unsigned failures = 0;
  unsigned retries = 0;

private:
  void end() {
    const std::lock_guard lock(mutex_);
    if (++ended_ == generations)
      allEnded_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable allEnded_;
  unsigned ended_ = 0;
};

/// Many generations at once against a host that closes connections: none may notice.
void generateMany(HastyHost &host) {
  Bench bench;
  bench.settings.baseUrl = host.url();
  Crowd crowd;
  std::vector<std::shared_ptr<Job>> jobs;
  for (unsigned i = 0; i < generations; ++i) {
    bench.settings.prompt = "number " + std::to_string(i);
    jobs.push_back(Job::start(bench.settings, 0, crowd, bench.patience));
  }
  crowd.waitForAll();
  for (const auto &job : jobs)
    job->stop();
  fail_unless_equals_int(static_cast<int>(crowd.failures), 0);
  fail_unless_equals_int(static_cast<int>(crowd.retries), 0);
  fail_unless_equals_int(static_cast<int>(host.purchases.size()), static_cast<int>(generations));
  for (const auto &[body, times] : host.purchases)
    fail_unless_equals_int(static_cast<int>(times), 1);
}

} // namespace

GST_START_TEST(a_host_that_closes_idle_connections_when_something_is_bought_costs_nothing) {
  HastyHost host(HastyHost::Closes::IdleAtPurchase);
  generateMany(host);
  fail_unless(host.closedIdle > 0);
  fail_unless(host.reused > 0); // else this would show nothing
}
GST_END_TEST

GST_START_TEST(a_host_that_closes_each_connection_unannounced_costs_nothing) {
  HastyHost host(HastyHost::Closes::AfterAnswer);
  generateMany(host);
}
GST_END_TEST

static Suite *idle_connections_suite() {
  Suite *suite = suite_create("idle_connections");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, a_host_that_closes_idle_connections_when_something_is_bought_costs_nothing);
  tcase_add_test(tests, a_host_that_closes_each_connection_unannounced_costs_nothing);
  return suite;
}

GST_CHECK_MAIN(idle_connections)
