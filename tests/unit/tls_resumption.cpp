// SPDX-License-Identifier: LGPL-2.1-or-later
// TLS sessions are resumed by the whole process: what one HTTP session trusts is not for another.
#include <cstring>

#include "await.h"
#include "certificate.h"
#include "http/session.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

/// A host whose certificate nobody but the given database trusts, and which resumes TLS sessions: GIO's own server does
/// not.
struct SelfSignedHost {
  TemporaryFolder folder;
  SessionOptions trusting;

  SelfSignedHost() {
    const std::string certificate = folder.file("trusted.pem", selfSigned);
    const std::string key = folder.file("key.pem", selfSignedKey);
    const char *words[] = {"openssl", "s_server",          "-www", "-accept",   "127.0.0.1:0",
                           "-cert",   certificate.c_str(), "-key", key.c_str(), nullptr};
    GErrorSlot error;
    process_ = adopt(g_subprocess_newv(words, G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error));
    fail_unless(bool(process_), "%s", error.message());
    // it says "ACCEPT 127.0.0.1:PORT"
    const auto lines = adopt(g_data_input_stream_new(g_subprocess_get_stdout_pipe(process_.get())));
    while (url_.empty()) {
      const GCharPtr line(g_data_input_stream_read_line(lines.get(), nullptr, nullptr, nullptr));
      fail_unless(bool(line), "openssl s_server has ended");
      if (contains(line.get(), "ACCEPT 127.0.0.1:"))
        url_ = "https://127.0.0.1" + std::string(strrchr(line.get(), ':')) + "/";
    }
    trusting.tlsDatabase = adopt(g_tls_file_database_new(certificate.c_str(), &error));
    fail_if(bool(error));
  }
  SelfSignedHost(const SelfSignedHost &) = delete;
  SelfSignedHost &operator=(const SelfSignedHost &) = delete;
  ~SelfSignedHost() {
    g_subprocess_force_exit(process_.get());
    g_subprocess_wait(process_.get(), nullptr, nullptr);
  }

  Exchanged<HttpResponse> ask(HttpSession &session) const {
    HttpRequest request;
    request.url = url_;
    Cancellation cancellation;
    return await(session.exchange(request, cancellation, {Clock::now() + 20s, 20s}, 100'000));
  }

private:
  GRefPtr<GSubprocess> process_;
  std::string url_;
};

void expectAnswer(const SelfSignedHost &host, HttpSession &session) {
  const auto answer = host.ask(session);
  fail_unless(answer.has_value(), "%s", answer ? "" : answer.error().message.c_str());
  fail_unless_contains(answer->body, "s_server");
}

void expectRefusal(const SelfSignedHost &host, HttpSession &session) {
  const auto refused = host.ask(session);
  fail_if(refused.has_value());
  if (refused)
    return;
  fail_unless(refused.error().cause == TransportError::Cause::Tls, "%s", refused.error().message.c_str());
  fail_if(refused.error().sent);
  fail_unless_contains(refused.error().message, "not signed by a trusted authority");
}

} // namespace

GST_START_TEST(what_one_session_trusts_is_refused_by_another) {
  const SelfSignedHost host;
  HttpSession trusting(host.trusting);
  HttpSession strict({});
  for (unsigned times = 0; times < 3; ++times) {
    expectAnswer(host, trusting);
    expectRefusal(host, strict);
  }
}
GST_END_TEST

GST_START_TEST(what_is_trusted_stays_trusted_when_it_is_resumed) {
  const SelfSignedHost host;
  HttpSession one(host.trusting);
  HttpSession two(host.trusting);
  bool resumed = false;
  for (HttpSession *session : {&one, &one, &two, &two}) {
    expectAnswer(host, *session);
    resumed = resumed || contains(host.ask(*session)->body, "Reused");
  }
  fail_unless(resumed); // else this would show nothing
}
GST_END_TEST

static Suite *tls_resumption_suite() {
  Suite *suite = suite_create("tls_resumption");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, what_one_session_trusts_is_refused_by_another);
  tcase_add_test(tests, what_is_trusted_stays_trusted_when_it_is_resumed);
  return suite;
}

GST_CHECK_MAIN(tls_resumption)
