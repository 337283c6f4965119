// SPDX-License-Identifier: LGPL-2.1-or-later
// A request whose head is on its way, and whose body waits for the caller's word.
#include <atomic>
#include <future>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "await.h"
#include "bench.h"
#include "http/session.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

using Cause = TransportError::Cause;

/// Accepts one connection, and tells when the head of a request has come and what has come after it.
class SlowReader {
public:
  SlowReader() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    g_assert(bind(listener_, reinterpret_cast<sockaddr *>(&address), size) == 0);
    g_assert(listen(listener_, 8) == 0);
    getsockname(listener_, reinterpret_cast<sockaddr *>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  SlowReader(const SlowReader &) = delete;
  SlowReader &operator=(const SlowReader &) = delete;
  ~SlowReader() {
    if (thread_.joinable())
      thread_.join();
    close(listener_);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::shared_future<void> head() const { return head_; }
  /// What came behind the head, until the client closed the connection.
  std::string body() {
    thread_.join();
    return body_;
  }

private:
  void run() {
    const int connection = accept(listener_, nullptr, nullptr);
    std::string all;
    bool told = false;
    char buffer[4096];
    for (ssize_t count = 0; (count = recv(connection, buffer, sizeof buffer, 0)) > 0;) {
      all.append(buffer, static_cast<size_t>(count));
      if (!told && contains(all, "\r\n\r\n")) {
        told = true;
        headCame_.set_value();
      }
    }
    if (const size_t end = all.find("\r\n\r\n"); end != std::string::npos)
      body_ = all.substr(end + 4);
    close(connection);
  }

  int listener_;
  unsigned port_ = 0;
  std::promise<void> headCame_;
  std::shared_future<void> head_ = headCame_.get_future().share();
  std::string body_;
  std::thread thread_;
};

/// Posts to a host with this `starting`; why there is no answer.
TransportError post(const SlowReader &host, Cancellation &cancellation, Clock::duration patience, Starting starting) {
  HttpRequest request;
  request.method = "POST";
  request.url = host.url() + "/v2/video/generations";
  static constexpr char body[] = R"({"prompt":"a paper boat"})";
  request.body = adopt(g_bytes_new_static(body, sizeof body - 1));
  HttpSession session({});
  const auto answer =
      await(session.exchange(request, cancellation, {Clock::now() + 20s, patience}, 1000, std::move(starting)));
  fail_if(answer.has_value());
  return answer.has_value() ? TransportError{} : answer.error();
}

/// Awaited on the network thread: the host has the head.
Task<void> untilHeadHasCome(const SlowReader &host) {
  const auto head = host.head();
  co_await onPool([head] { head.wait(); });
}

} // namespace

GST_START_TEST(a_host_that_has_the_head_gets_no_body_that_is_withheld) {
  SlowReader host;
  Cancellation cancellation;
  const TransportError error = post(host, cancellation, 20s, [&]() -> Task<bool> {
    co_await untilHeadHasCome(host);
    co_return false;
  });
  fail_unless(error.cause == Cause::Withheld);
  fail_if(error.sent);
  fail_unless_equals_text(host.body(), "");
}
GST_END_TEST

GST_START_TEST(a_stop_before_the_word_has_come_has_sent_nothing) {
  SlowReader host;
  Cancellation cancellation;
  const TransportError error = post(host, cancellation, 20s, [&]() -> Task<bool> {
    co_await untilHeadHasCome(host);
    cancellation.cancel();
    for (unsigned turns = 0; turns < 10; ++turns)
      co_await LetOthersGo{};
    co_return true;
  });
  fail_unless(error.cause == Cause::Cancelled, "cause %d, \"%s\"", static_cast<int>(error.cause),
              error.message.c_str());
  fail_if(error.sent);
  fail_unless_equals_text(host.body(), "");
}
GST_END_TEST

GST_START_TEST(a_deadline_before_the_word_has_come_has_sent_nothing) {
  SlowReader host;
  Cancellation cancellation;
  const auto begun = Clock::now();
  const TransportError error = post(host, cancellation, 50ms, [&]() -> Task<bool> {
    // the attempt's deadline lies well before, on a busy machine even before the head
    Cancellation none;
    (void)co_await none.sleepUntil(begun + 200ms);
    co_return true;
  });
  fail_unless(error.cause == Cause::Deadline, "cause %d, \"%s\"", static_cast<int>(error.cause), error.message.c_str());
  fail_if(error.sent);
  fail_unless_equals_text(host.body(), "");
}
GST_END_TEST

static Suite *held_purchase_suite() {
  Suite *suite = suite_create("held_purchase");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_host_that_has_the_head_gets_no_body_that_is_withheld);
  tcase_add_test(tests, a_stop_before_the_word_has_come_has_sent_nothing);
  tcase_add_test(tests, a_deadline_before_the_word_has_come_has_sent_nothing);
  return suite;
}

GST_CHECK_MAIN(held_purchase)
