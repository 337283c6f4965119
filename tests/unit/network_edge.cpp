// SPDX-License-Identifier: LGPL-2.1-or-later
// Where requests may go whose address comes from somebody else than the user.
#include <mutex>

#include "await.h"
#include "certificate.h"
#include "clip/clip_host.h"
#include "http/address.h"
#include "http/session.h"
#include "http/validator.h"
#include "raw_server.h"
#include "service/service_client.h"
#include "support/test_server.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

using Cause = TransportError::Cause;

bool isPublicText(const char *text) {
  const auto address = adopt(g_inet_address_new_from_string(text));
  fail_unless(bool(address), "%s", text);
  return isPublic(address.get());
}

/// One GET, to the public internet only.
Exchanged<HttpResponse> get(HttpSession &session, const std::string &url, bool publicOnly = true) {
  HttpRequest request;
  request.url = url;
  request.publicOnly = publicOnly;
  Cancellation cancellation;
  return await(session.exchange(request, cancellation, {Clock::now() + 20s, 20s}, 1000));
}

/// Why a clip's host is not asked, or has nothing to say.
Task<std::optional<ClipRefusal>> refusalOf(ClipHost &host, std::string url) {
  const ClipHost::Wanted all;
  const auto part = co_await host.open(url, all, Clock::now() + 20s);
  co_return part ? std::nullopt : std::optional(part.error());
}

void expectNotPublic(const Exchanged<HttpResponse> &answer, const char *words) {
  fail_if(answer.has_value());
  fail_unless(answer.error().cause == Cause::NotPublic, "%s", answer.error().message.c_str());
  fail_if(answer.error().sent);
  fail_unless_contains(answer.error().message, words);
}

GRefPtr<GTlsCertificate> certificate() {
  const std::string pem = std::string(selfSigned) + selfSignedKey;
  return adopt(g_tls_certificate_new_from_pem(pem.c_str(), -1, nullptr));
}

std::string named(const TestServer &server, const char *host) {
  const std::string url = server.url();
  return url.substr(0, url.find("127.0.0.1")) + host + ":" + std::to_string(server.port());
}

} // namespace

GST_START_TEST(an_address_is_public_or_it_is_not) {
  for (const char *address :
       {"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.128.0.1", "11.0.0.1", "223.255.255.255",
        "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808"})
    fail_unless(isPublicText(address), "%s", address);
  for (const char *address : {"127.0.0.1",
                              "127.255.255.254",
                              "0.0.0.0",
                              "0.1.2.3",
                              "10.0.0.1",
                              "10.255.255.255",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.0.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "192.0.0.8",
                              "198.18.0.1",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::1",
                              "::",
                              "::7f00:1",
                              "fe80::1",
                              "fc00::1",
                              "fd12:3456::1",
                              "fec0::1",
                              "ff02::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.1.2.3",
                              "::ffff:169.254.169.254",
                              "64:ff9b::7f00:1",
                              "64:ff9b::a00:1",
                              "2002:7f00:1::",
                              "2001:db8::1"})
    fail_if(isPublicText(address), "%s", address);
}
GST_END_TEST

GST_START_TEST(what_may_go_to_the_public_only_is_not_sent_to_this_machine) {
  const TestServer server([](const Seen &, Answer &answer) { answer.json(200, "{}"); });
  HttpSession session{SessionOptions{}};
  expectNotPublic(get(session, server.url()), "127.0.0.1");
  expectNotPublic(get(session, named(server, "localhost")), "its host has the address");
  expectNotPublic(get(session, named(server, "[::ffff:127.0.0.1]")), "127.0.0.1");
  fail_unless(server.requests().empty());

  // over a connection that is there already, as well
  fail_unless(get(session, server.url(), false).has_value());
  expectNotPublic(get(session, server.url()), "127.0.0.1");
  fail_unless_equals_int(server.requests().size(), 1);
}
GST_END_TEST

GST_START_TEST(what_may_go_to_the_public_only_does_not_even_greet_a_local_host) {
  RawServer server("");
  HttpSession session{SessionOptions{}};
  expectNotPublic(get(session, "https" + server.url().substr(strlen("http"))), "127.0.0.1");
  fail_unless(server.heads().empty());
}
GST_END_TEST

GST_START_TEST(behind_a_proxy_the_name_counts) {
  const TestServer proxy([](const Seen &, Answer &answer) { answer.json(200, R"({"proxied":1})"); });
  SessionOptions options;
  options.proxy = proxy.url();
  HttpSession session(options);
  const auto proxied = get(session, "http://clips.example/a.mp4");
  fail_unless(proxied.has_value(), "%s", proxied ? "" : proxied.error().message.c_str());
  fail_unless_equals_int(proxy.requests().size(), 1);
  for (const char *host : {"10.0.0.1", "169.254.169.254", "[fd00::1]", "localhost", "LocalHost.", "a.localhost",
                           "127.1", "2130706433", "0x7f000001", "0x7F.1", "10.0.0.1."})
    expectNotPublic(get(session, "http://" + std::string(host) + "/a.mp4"), "its host");
  fail_unless_equals_int(proxy.requests().size(), 1);
}
GST_END_TEST

GST_START_TEST(a_clips_address_leads_to_local_hosts_only_where_the_service_is) {
  const auto ownCertificate = certificate();
  const TestServer server(ownCertificate.get(),
                          [](const Seen &, Answer &answer) { answer.send(200, "video/mp4", "0123456789"); });
  TemporaryFolder folder;
  SessionOptions options;
  GErrorSlot error;
  options.tlsDatabase = adopt(g_tls_file_database_new(folder.file("authority.pem", selfSigned).c_str(), &error));
  HttpSession session(options);
  Cancellation cancellation;

  ClipHost outside(session, cancellation, ClipReach::Public);
  const auto refused = await(refusalOf(outside, server.url() + "/a.mp4"));
  fail_unless(refused && refused->kind == ClipRefusal::Kind::LinkRefused);
  fail_unless_contains(refused->cause, "127.0.0.1, which is not on the public internet");
  fail_unless(server.requests().empty());

  ClipHost inside(session, cancellation, ClipReach::Local);
  fail_if(await(refusalOf(inside, server.url() + "/a.mp4")).has_value());
}
GST_END_TEST

GST_START_TEST(a_clip_comes_from_this_machine_over_http_only_where_the_service_does) {
  const TestServer server([](const Seen &, Answer &answer) { answer.send(200, "video/mp4", "0123456789"); });
  HttpSession session{SessionOptions{}};
  Cancellation cancellation;
  for (const ClipReach reach : {ClipReach::Public, ClipReach::Local}) {
    ClipHost host(session, cancellation, reach);
    const auto refused = await(refusalOf(host, server.url() + "/a.mp4"));
    fail_unless(refused.has_value());
    fail_unless_contains(refused->cause, "only https is followed");
  }
  ClipHost same(session, cancellation, ClipReach::ThisMachine);
  fail_if(await(refusalOf(same, server.url() + "/a.mp4")).has_value());
  fail_unless_equals_int(server.requests().size(), 1);
}
GST_END_TEST

/// Stands in for the system's name service. What it says may change between two questions.
class Names {
public:
  using List = std::vector<std::string>;

  Names() : before_(adopt(g_resolver_get_default())) {
    static const GType type = g_type_register_static_simple(
        G_TYPE_RESOLVER, "TestNames", sizeof(GResolverClass),
        +[](gpointer klass, gpointer) {
          G_RESOLVER_CLASS(klass)->lookup_by_name = answer;
          G_RESOLVER_CLASS(klass)->lookup_by_name_with_flags =
              +[](GResolver *resolver, const char *name, GResolverNameLookupFlags flags, GCancellable *,
                  GError **error) {
                return answerIn(resolver, name, flags, error);
              };
          G_RESOLVER_CLASS(klass)->lookup_by_name_async =
              +[](GResolver *resolver, const char *name, GCancellable *cancellable, GAsyncReadyCallback callback,
                  gpointer data) {
                answerLater(resolver, name, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, cancellable, callback, data);
              };
          G_RESOLVER_CLASS(klass)->lookup_by_name_with_flags_async = answerLater;
          G_RESOLVER_CLASS(klass)->lookup_by_name_finish = taken;
          G_RESOLVER_CLASS(klass)->lookup_by_name_with_flags_finish = taken;
        },
        sizeof(GResolver), nullptr, GTypeFlags{});
    const auto resolver = adopt(static_cast<GResolver *>(g_object_new(type, nullptr)));
    g_resolver_set_default(resolver.get());
  }
  Names(const Names &) = delete;
  Names &operator=(const Names &) = delete;
  ~Names() { g_resolver_set_default(before_.get()); }

  static void say(List addresses) {
    const std::lock_guard lock(mutex());
    addresses_() = std::move(addresses);
  }

private:
  static std::mutex &mutex() {
    static std::mutex guard;
    return guard;
  }
  static List &addresses_() {
    static List list;
    return list;
  }
  static GList *answer(GResolver *resolver, const char *name, GCancellable *, GError **error) {
    return answerIn(resolver, name, G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT, error);
  }
  static void answerLater(GResolver *resolver, const char *name, GResolverNameLookupFlags flags,
                          GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data) {
    GTask *task = g_task_new(resolver, cancellable, callback, data);
    GError *error = nullptr;
    if (GList *list = answerIn(resolver, name, flags, &error))
      g_task_return_pointer(task, list, nullptr);
    else
      g_task_return_error(task, error);
    g_object_unref(task);
  }
  static GList *taken(GResolver *, GAsyncResult *result, GError **error) {
    return static_cast<GList *>(g_task_propagate_pointer(G_TASK(result), error));
  }
  static GList *answerIn(GResolver *, const char *, GResolverNameLookupFlags flags, GError **error) {
    const std::lock_guard lock(mutex());
    GList *list = nullptr;
    for (const std::string &text : addresses_()) {
      GInetAddress *address = g_inet_address_new_from_string(text.c_str());
      const auto unwanted = g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV4
                                ? G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY
                                : G_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY;
      if (flags & unwanted)
        g_object_unref(address);
      else
        list = g_list_append(list, address);
    }
    if (!list)
      g_set_error_literal(error, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "there is no such name");
    return list;
  }

  GRefPtr<GResolver> before_;
};

GST_START_TEST(whether_a_named_service_is_local_is_told_by_the_connections_to_it) {
  const TestServer server([](const Seen &, Answer &answer) { answer.json(200, "{}"); });
  const Names names;
  Names::say({"127.0.0.1"});
  Plan plan;
  plan.baseUrl = named(server, "gateway.example");
  HttpSession session{SessionOptions{}};
  Cancellation cancellation;
  ServiceClient client(session, plan, {});

  fail_if(await(client.isLocal(nullptr))); // whatever the name service says: nothing was connected to
  fail_unless(await(client.get("/v1/models", cancellation, {Clock::now() + 20s, 20s})).has_value());
  fail_unless(await(client.isLocal(nullptr)));
  for (const Names::List &list :
       {Names::List{"127.0.0.1", "8.8.8.8"}, {"2606:4700::1111", "10.1.2.3"}, {"8.8.8.8"}, {}}) {
    Names::say(list);
    fail_if(await(client.isLocal(nullptr)));
  }
}
GST_END_TEST

GST_START_TEST(a_name_that_turns_local_after_it_was_connected_to_elsewhere_is_not_local) {
  // what is behind a proxy has no address here
  const TestServer proxy([](const Seen &, Answer &answer) { answer.json(200, "{}"); });
  const Names names;
  Names::say({"10.1.2.3"});
  SessionOptions options;
  options.proxy = proxy.url();
  HttpSession session(options);
  Plan plan;
  plan.baseUrl = "http://gateway.example";
  Cancellation cancellation;
  ServiceClient client(session, plan, {});
  fail_unless(await(client.get("/v1/models", cancellation, {Clock::now() + 20s, 20s})).has_value());
  fail_if(await(client.isLocal(nullptr)));
}
GST_END_TEST

GST_START_TEST(an_address_in_the_base_url_says_by_itself_whether_the_service_is_local) {
  HttpSession session{SessionOptions{}};
  for (const char *url :
       {"http://localhost:1", "https://127.0.0.1", "https://[::1]", "https://10.1.2.3/v1", "https://[fd00::1]"}) {
    Plan plan;
    plan.baseUrl = url;
    fail_unless(await(ServiceClient(session, plan, {}).isLocal(nullptr)), "%s", url);
  }
  for (const char *url : {"https://8.8.8.8", "https://[2606:4700::1111]"}) {
    Plan plan;
    plan.baseUrl = url;
    fail_if(await(ServiceClient(session, plan, {}).isLocal(nullptr)), "%s", url);
  }
}
GST_END_TEST

GST_START_TEST(whether_a_host_is_local_is_told_by_its_address) {
  for (const char *host : {"localhost", "127.0.0.1", "10.1.2.3", "::1", "fd00::1"})
    fail_unless(await(isAtLocalAddress(host, nullptr)), "%s", host);
  for (const char *host : {"8.8.8.8", "2606:4700::1111", "no-such-host.invalid"})
    fail_if(await(isAtLocalAddress(host, nullptr)), "%s", host);
}
GST_END_TEST

GST_START_TEST(an_image_host_cannot_send_on_to_a_local_one) {
  const TestServer inner([](const Seen &, Answer &answer) {
    answer.header("ETag", "\"inner\"");
    answer.send(200, "image/png", "");
  });
  std::string location;
  const TestServer outer([&](const Seen &seen, Answer &answer) {
    if (seen.path == "/plain") {
      answer.header("ETag", "\"outer\"");
      return answer.send(200, "image/png", "");
    }
    answer.header("Location", location.c_str());
    answer.send(302, "text/plain", "");
  });
  HttpSession session{SessionOptions{}};
  Cancellation cancellation;
  const auto validator = [&] {
    return await(validatorOf(session, outer.url() + "/image.png", cancellation, Clock::now() + 20s));
  };

  location = named(inner, "localhost") + "/secret";
  fail_if(validator().has_value());
  location = "file:///etc/passwd";
  fail_if(validator().has_value());
  fail_unless(inner.requests().empty());

  // the host that the user named may send on to itself
  location = "/plain";
  fail_unless_equals_text(validator().value_or(""), "\"outer\"");
}
GST_END_TEST

/// A TLS server of OpenSSL, which still speaks versions that GnuTLS has given up.
class OldServer {
public:
  explicit OldServer(const std::string &pem, const char *version) {
    const char *line[] = {"openssl", "s_server", "-accept", "127.0.0.1:0",     "-cert", pem.c_str(),
                          "-www",    version,    "-cipher", "ALL:@SECLEVEL=0", nullptr};
    GErrorSlot error;
    process_ = adopt(g_subprocess_newv(line, G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error));
    fail_unless(bool(process_), "%s", error.message());
    const auto lines = adopt(g_data_input_stream_new(g_subprocess_get_stdout_pipe(process_.get())));
    while (const GCharPtr said{g_data_input_stream_read_line(lines.get(), nullptr, nullptr, nullptr)}) {
      const std::string text = said.get(); // ACCEPT 127.0.0.1:PORT
      if (text.starts_with("ACCEPT ")) {
        url_ = "https://" + text.substr(strlen("ACCEPT "));
        break;
      }
    }
    fail_if(url_.empty());
  }
  OldServer(const OldServer &) = delete;
  OldServer &operator=(const OldServer &) = delete;
  ~OldServer() {
    g_subprocess_force_exit(process_.get());
    g_subprocess_wait(process_.get(), nullptr, nullptr);
  }

  const std::string &url() const { return url_; }

private:
  GRefPtr<GSubprocess> process_;
  std::string url_;
};

GST_START_TEST(tls_before_1_2_is_refused) {
  TemporaryFolder folder;
  const std::string pem = folder.file("server.pem", std::string(selfSigned) + selfSignedKey);
  SessionOptions options;
  options.tlsDatabase = adopt(g_tls_file_database_new(folder.file("authority.pem", selfSigned).c_str(), nullptr));
  HttpSession session(options);

  const OldServer present(pem, "-tls1_2");
  HttpRequest request;
  request.url = present.url();
  Cancellation cancellation;
  const auto answer = await(session.exchange(request, cancellation, {Clock::now() + 20s, 20s}, 100'000));
  fail_unless(answer.has_value(), "%s", answer ? "" : answer.error().message.c_str());

  for (const char *version : {"-tls1_1", "-tls1"}) {
    const OldServer old(pem, version);
    request.url = old.url();
    const auto refused = await(session.exchange(request, cancellation, {Clock::now() + 20s, 20s}, 100'000));
    fail_if(refused.has_value(), "%s", version);
    fail_unless(refused.error().cause == Cause::Tls, "%s", refused.error().message.c_str());
    fail_if(refused.error().sent);
  }
}
GST_END_TEST

GST_START_TEST(the_image_of_a_strangers_uri_is_asked_for_on_the_public_internet_only) {
  TestServer inside([](const Seen &, Answer &answer) {
    answer.header("ETag", "\"inside\"");
    answer.send(200, "image/png", "x");
  });
  HttpSession session({});
  Cancellation cancellation;
  const auto validator = [&](bool publicOnly) {
    return await(validatorOf(session, inside.url() + "/image.png", cancellation, Clock::now() + 20s, publicOnly));
  };
  fail_if(validator(true).has_value());
  fail_unless_equals_int(inside.requests().size(), 0);
  fail_unless_equals_text(validator(false).value_or(""), "\"inside\"");
  fail_if(validator(true).has_value()); // nor over the connection that is there now
  fail_unless_equals_int(inside.requests().size(), 1);
}
GST_END_TEST

static Suite *network_edge_suite() {
  Suite *suite = suite_create("network_edge");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, an_address_is_public_or_it_is_not);
  tcase_add_test(tests, what_may_go_to_the_public_only_is_not_sent_to_this_machine);
  tcase_add_test(tests, what_may_go_to_the_public_only_does_not_even_greet_a_local_host);
  tcase_add_test(tests, behind_a_proxy_the_name_counts);
  tcase_add_test(tests, a_clips_address_leads_to_local_hosts_only_where_the_service_is);
  tcase_add_test(tests, a_clip_comes_from_this_machine_over_http_only_where_the_service_does);
  tcase_add_test(tests, whether_a_named_service_is_local_is_told_by_the_connections_to_it);
  tcase_add_test(tests, a_name_that_turns_local_after_it_was_connected_to_elsewhere_is_not_local);
  tcase_add_test(tests, an_address_in_the_base_url_says_by_itself_whether_the_service_is_local);
  tcase_add_test(tests, whether_a_host_is_local_is_told_by_its_address);
  tcase_add_test(tests, tls_before_1_2_is_refused);
  tcase_add_test(tests, an_image_host_cannot_send_on_to_a_local_one);
  tcase_add_test(tests, the_image_of_a_strangers_uri_is_asked_for_on_the_public_internet_only);
  return suite;
}

GST_CHECK_MAIN(network_edge)
