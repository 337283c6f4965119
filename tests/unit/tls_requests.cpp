// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests of a process that has enabled TlsTrust end as those of one that has not.
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>

#include "authorities.h"
#include "await.h"
#include "certificate.h"
#include "http/session.h"
#include "support/test_server.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;
using Cause = TransportError::Cause;

namespace {

std::atomic<unsigned> replacements = 0; ///< of the process's default database

} // namespace

/// Stands before GIO's own.
extern "C" __attribute__((visibility("default"))) void g_tls_backend_set_default_database(GTlsBackend *backend,
                                                                                          GTlsDatabase *database) {
  static const auto real = reinterpret_cast<decltype(&g_tls_backend_set_default_database)>(
      dlsym(RTLD_NEXT, "g_tls_backend_set_default_database"));
  ++replacements;
  real(backend, database);
}

namespace {

/// A purchase, and how often it was about to leave.
struct Request {
  explicit Request(const Host &host) : Request("https://127.0.0.1:" + std::to_string(host.port()) + "/") {}
  explicit Request(std::string url) {
    request.method = "POST";
    request.url = std::move(url);
    request.body = adopt(g_bytes_new_static("{}", 2));
  }

  Task<Exchanged<HttpResponse>> over(HttpSession &session) {
    co_return co_await session.exchange(request, cancellation, {Clock::now() + 20s, 20s}, 1000, [this]() -> Task<bool> {
      ++started;
      whenLeaving = defaultDatabase();
      co_return true;
    });
  }

  HttpRequest request;
  Cancellation cancellation;
  unsigned started = 0;
  GRefPtr<GTlsDatabase> whenLeaving; ///< the process's default
};

Exchanged<HttpResponse> ask(HttpSession &session, const Host &host) {
  Request request(host);
  return await(request.over(session));
}

void expectAnswer(HttpSession &session, const Host &host, const char *what) {
  const auto response = ask(session, host);
  fail_unless(response.has_value(), "%s: %s", what, response ? "" : response.error().message.c_str());
}

/// The words of a refusal, which comes before anything has left.
std::string refusal(HttpSession &session, const Host &host, const char *what) {
  Request request(host);
  const auto response = await(request.over(session));
  fail_if(response.has_value(), "%s", what);
  fail_unless(response.error().cause == Cause::Tls, "%s: %s", what, response.error().message.c_str());
  fail_if(response.error().sent, "%s", what);
  fail_unless_equals_int(request.started, 0);
  return response.error().message;
}

/// An HTTP proxy that leads every tunnel to one port of this machine.
class Tunnel {
public:
  explicit Tunnel(guint16 target) : target_(target) {
    port_ = g_socket_listener_add_any_inet_port(listener_.get(), nullptr, nullptr);
    thread_ = std::thread([this] {
      while (const auto client = adopt(g_socket_listener_accept(listener_.get(), nullptr, stop_.get(), nullptr)))
        lead(G_IO_STREAM(client.get()));
    });
  }
  Tunnel(const Tunnel &) = delete;
  Tunnel &operator=(const Tunnel &) = delete;
  ~Tunnel() {
    g_cancellable_cancel(stop_.get());
    thread_.join();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  unsigned tunnels() const { return tunnels_; }

private:
  void lead(GIOStream *client) {
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n") &&
           g_input_stream_read(g_io_stream_get_input_stream(client), &byte, 1, stop_.get(), nullptr) == 1)
      head += byte;
    const auto connector = adopt(g_socket_client_new());
    const auto host =
        adopt(g_socket_client_connect_to_host(connector.get(), "127.0.0.1", target_, stop_.get(), nullptr));
    fail_unless(bool(host) && head.starts_with("CONNECT "));
    ++tunnels_;
    constexpr std::string_view opened = "HTTP/1.1 200 OK\r\n\r\n";
    g_output_stream_write_all(g_io_stream_get_output_stream(client), opened.data(), opened.size(), nullptr, stop_.get(),
                              nullptr);
    std::thread there([&] { pass(client, G_IO_STREAM(host.get())); });
    pass(G_IO_STREAM(host.get()), client);
    there.join();
  }
  void pass(GIOStream *from, GIOStream *to) {
    g_output_stream_splice(g_io_stream_get_output_stream(to), g_io_stream_get_input_stream(from),
                           G_OUTPUT_STREAM_SPLICE_NONE, stop_.get(), nullptr);
    if (G_IS_SOCKET_CONNECTION(to))
      g_socket_shutdown(g_socket_connection_get_socket(G_SOCKET_CONNECTION(to)), FALSE, TRUE, nullptr);
  }

  const guint16 target_;
  GRefPtr<GSocketListener> listener_ = adopt(g_socket_listener_new());
  GRefPtr<GCancellable> stop_ = adopt(g_cancellable_new());
  std::atomic<unsigned> tunnels_ = 0;
  guint16 port_ = 0;
  std::thread thread_;
};

} // namespace

GST_START_TEST(a_process_that_has_not_enabled_it_keeps_its_default_database) {
  Authorities authorities;
  authorities.found("one");
  authorities.found("two");
  const SystemTrust system(authorities.trust("one.pem two.pem"));
  const Host host(authorities.certify("one"));
  HttpSession session({});
  replacements = 0;
  expectAnswer(session, host, "first");
  expectAnswer(session, host, "second");
  fail_unless_equals_int(replacements, 0);
  authorities.trust("two.pem");
  fail_unless_contains(refusal(session, host, "removed"), "not signed by a trusted authority");
}
GST_END_TEST

GST_START_TEST(a_known_host_is_not_asked_about_again) {
  Authorities authorities;
  authorities.found("one");
  authorities.found("two");
  const SystemTrust system(authorities.trust("one.pem two.pem"));
  const Host host(authorities.certify("one"));
  TlsTrust::enable();
  HttpSession session({});
  replacements = 0;
  Request first(host);
  fail_unless(await(first.over(session)).has_value());
  fail_unless(first.whenLeaving.get() == system.get());
  fail_unless_equals_int(replacements, narrows() ? 2 : 0); // replaced and restored
  authorities.trust("two.pem");                            // for ten minutes this makes no difference
  expectAnswer(session, host, "known");
  fail_unless_equals_int(host.connections(), 2);
  fail_unless(defaultDatabase().get() == system.get());
}
GST_END_TEST

GST_START_TEST(what_is_refused_without_it_is_refused_in_the_same_words) {
  Authorities authorities;
  authorities.found("trusted");
  authorities.found("stranger");
  const SystemTrust system(authorities.trust("trusted.pem"));
  const auto good = authorities.certify("trusted");
  struct Case {
    const char *name;
    GRefPtr<GTlsCertificate> certificate;
    std::string words = {};
  };
  std::vector<Case> cases{
      {"of an authority that is not trusted", authorities.certify("stranger")},
      {"expired", authorities.certify("trusted", usual, "ec -pkeyopt ec_paramgen_curve:P-256", "-1")},
      {"for another host", authorities.certify("trusted", "subjectAltName=DNS:elsewhere.example\\n")},
  };
  for (Case &one : cases) {
    const Host host(one.certificate);
    HttpSession session({});
    one.words = refusal(session, host, one.name);
  }
  TlsTrust::enable();
  for (const Case &one : cases) {
    Host host(one.certificate);
    HttpSession session({});
    fail_unless_equals_text(refusal(session, host, one.name), one.words);
    fail_unless_equals_int(host.connections(), 1);
    host.greetWith(good);
    expectAnswer(session, host, one.name);
    host.greetWith(one.certificate);
    fail_unless_equals_text(refusal(session, host, one.name), one.words);
    fail_unless_equals_int(host.answers(), 1);
    fail_unless(defaultDatabase().get() == system.get());
  }
}
GST_END_TEST

GST_START_TEST(nobody_notices_that_a_known_host_changes_its_authority) {
  Authorities authorities;
  authorities.found("one");
  authorities.found("two");
  const SystemTrust system(authorities.trust("one.pem two.pem"));
  Host host(authorities.certify("one"));
  TlsTrust::enable();
  HttpSession session({});
  expectAnswer(session, host, "first");
  host.greetWith(authorities.certify("two"));
  const auto purchases = [&]() -> Task<void> {
    std::vector<std::unique_ptr<Request>> requests;
    unsigned ended = 0;
    Cancellation never;
    Waiter over(never);
    const auto purchase = [&](Request &request) -> Task<void> {
      const auto response = co_await request.over(session);
      fail_unless(response.has_value(), "%s", response ? "" : response.error().message.c_str());
      fail_unless_equals_int(request.started, 1);
      if (++ended == 4)
        over.wake();
    };
    while (requests.size() < 4)
      requests.push_back(std::make_unique<Request>(host));
    for (const auto &request : requests)
      detach(purchase(*request));
    (void)co_await over.until(Clock::now() + 20s);
    fail_unless_equals_int(ended, 4);
  };
  await(purchases());
  fail_unless_equals_int(host.answers(), 5); // each bought once
  const unsigned connections = host.connections();
  if (narrows())
    fail_unless_equals_int(connections, 9); // four were refused at first
  expectAnswer(session, host, "afterwards");
  expectAnswer(session, host, "known again");
  fail_unless_equals_int(host.connections(), connections + 2);
}
GST_END_TEST

GST_START_TEST(what_fails_after_the_handshake_is_not_tried_again) {
  Authorities authorities;
  authorities.found("one");
  const SystemTrust system(authorities.trust("one.pem"));
  Host host(authorities.certify("one"));
  TlsTrust::enable();
  HttpSession session({});
  expectAnswer(session, host, "known");
  host.demandCertificate();
  Request request(host);
  const auto response = await(request.over(session));
  fail_if(response.has_value());
  fail_unless(response.error().cause == Cause::Tls, "%s", response.error().message.c_str());
  fail_unless_equals_int(request.started, 1);
  fail_unless_equals_int(host.connections(), 2);
}
GST_END_TEST

GST_START_TEST(on_a_kept_connection_the_default_database_stays) {
  TemporaryFolder folder;
  const SystemTrust system(folder.file("trusted.pem", selfSigned));
  const auto certificate =
      adopt(g_tls_certificate_new_from_pem((std::string(selfSigned) + selfSignedKey).c_str(), -1, nullptr));
  const TestServer server(certificate.get(), [](const Seen &, Answer &answer) { answer.json(200, "{}"); });
  TlsTrust::enable();
  HttpSession session({});
  HttpRequest poll;
  poll.url = server.url();
  Cancellation never;
  replacements = 0;
  for (int i = 0; i < 3; ++i) {
    fail_unless(await(session.exchange(poll, never, {Clock::now() + 20s, 20s}, 1000)).has_value());
    fail_unless_equals_int(replacements, narrows() ? 2 : 0);
  }
}
GST_END_TEST

GST_START_TEST(through_a_proxy_the_default_database_stays) {
  Authorities authorities;
  authorities.found("one");
  authorities.found("two");
  const SystemTrust system(authorities.trust("one.pem"));
  Host host(authorities.certify("one", "subjectAltName=DNS:service.example\\n"));
  const Tunnel proxy(host.port());
  TlsTrust::enable();
  SessionOptions options;
  options.proxy = proxy.url();
  HttpSession session(options);
  replacements = 0;
  for (unsigned i = 1; i <= 2; ++i) {
    Request request("https://service.example/");
    const auto response = await(request.over(session));
    fail_unless(response.has_value(), "%s", response ? "" : response.error().message.c_str());
    fail_unless_equals_int(proxy.tunnels(), i);
  }
  host.greetWith(authorities.certify("two", "subjectAltName=DNS:service.example\\n"));
  Request request("https://service.example/");
  const auto response = await(request.over(session));
  fail_if(response.has_value());
  fail_unless_contains(response.error().message, "not signed by a trusted authority");
  fail_unless_equals_int(host.answers(), 2);
  fail_unless_equals_int(replacements, 0);
}
GST_END_TEST

static Suite *tls_requests_suite() {
  Suite *suite = suite_create("tls_requests");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_process_that_has_not_enabled_it_keeps_its_default_database); // there is no way back
  tcase_add_test(tests, a_known_host_is_not_asked_about_again);
  tcase_add_test(tests, what_is_refused_without_it_is_refused_in_the_same_words);
  tcase_add_test(tests, nobody_notices_that_a_known_host_changes_its_authority);
  tcase_add_test(tests, what_fails_after_the_handshake_is_not_tried_again);
  tcase_add_test(tests, on_a_kept_connection_the_default_database_stays);
  tcase_add_test(tests, through_a_proxy_the_default_database_stays);
  return suite;
}

GST_CHECK_MAIN(tls_requests)
