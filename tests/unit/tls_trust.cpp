// SPDX-License-Identifier: LGPL-2.1-or-later
// Connections that parse few certificates refuse what those refuse that parse all.
#include <optional>

#include "authorities.h"
#include "http/tls_trust.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

struct Greeting {
  bool accepted = false;
  guint flags = 0;          ///< of GTlsCertificateFlags
  std::string trusted = {}; ///< the certificates that the connection had to parse
};

/// Connects as libsoup does. Without `trust`: as it did before; with `own`: to a session that has a database.
Greeting greet(const Host &host, TlsTrust *trust, GTlsDatabase *own = nullptr) {
  const auto client = adopt(g_socket_client_new());
  const auto socket = adopt(g_socket_client_connect_to_host(client.get(), "127.0.0.1", host.port(), nullptr, nullptr));
  fail_unless(bool(socket));
  const auto identity = adopt(g_network_address_new("127.0.0.1", host.port()));
  std::optional<TlsConstruction> construction;
  if (trust)
    construction.emplace();
  const auto stream =
      adopt(g_tls_client_connection_new(G_IO_STREAM(socket.get()), G_SOCKET_CONNECTABLE(identity.get()), nullptr));
  GTlsConnection *connection = G_TLS_CONNECTION(stream.get());
  if (own)
    g_tls_connection_set_database(connection, own);
  construction.reset();
  if (trust)
    trust->beforeHandshake(connection);
  Greeting greeting;
  g_signal_connect(connection, "accept-certificate",
                   G_CALLBACK(+[](GTlsConnection *, GTlsCertificate *, guint flags, Greeting *to) -> gboolean {
                     to->flags = flags;
                     return FALSE;
                   }),
                   &greeting);
  greeting.accepted = g_tls_connection_handshake(connection, nullptr, nullptr);
  if (trust && greeting.accepted)
    trust->afterHandshake(connection);
  gchar *file = nullptr;
  gchar *text = nullptr;
  g_object_get(g_tls_connection_get_database(connection), "anchors", &file, nullptr);
  g_file_get_contents(file, &text, nullptr, nullptr);
  greeting.trusted = text;
  g_free(text);
  g_free(file);
  g_io_stream_close(G_IO_STREAM(connection), nullptr, nullptr);
  return greeting;
}

size_t certificates(const std::string &pem) {
  size_t count = 0;
  for (size_t at = 0; (at = pem.find("BEGIN CERTIFICATE", at)) != std::string::npos; ++at)
    ++count;
  return count;
}

} // namespace

GST_START_TEST(a_known_host_is_verified_with_the_certificates_that_it_needs) {
  Authorities authorities;
  authorities.found("one");
  authorities.found("two");
  authorities.delegate("two", "between", "basicConstraints=critical,CA:TRUE\\n");
  const SystemTrust system(authorities.trust("one.pem two.pem"));
  const Host first(authorities.certify("one"));
  const Host second(authorities.certify("between"));
  TlsTrust trust;
  for (const Host *host : {&first, &second}) {
    const Greeting unknown = greet(*host, &trust);
    fail_unless(unknown.accepted, "%x", unknown.flags);
    fail_unless_equals_int(certificates(unknown.trusted), 2);
    const Greeting known = greet(*host, &trust);
    fail_unless(known.accepted, "%x", known.flags);
    fail_unless_equals_int(certificates(known.trusted), narrows() ? 1 : 2);
  }
}
GST_END_TEST

GST_START_TEST(what_is_refused_without_it_is_refused_for_the_same_reasons) {
  Authorities authorities;
  authorities.found("trusted");
  authorities.found("stranger");
  authorities.delegate("trusted", "between-elsewhere",
                       "basicConstraints=critical,CA:TRUE\\nnameConstraints=critical,permitted;DNS:example.org\\n");
  authorities.delegate("trusted", "between-nobody", "basicConstraints=CA:FALSE\\n");
  const SystemTrust system(authorities.trust("trusted.pem"));
  const std::string curve = "ec -pkeyopt ec_paramgen_curve:P-256";
  struct Case {
    const char *name;
    GRefPtr<GTlsCertificate> certificate;
    guint flag; ///< of GTlsCertificateFlags, among others
  };
  const std::vector<Case> cases{
      {"of an authority that is not trusted", authorities.certify("stranger"), G_TLS_CERTIFICATE_UNKNOWN_CA},
      {"expired", authorities.certify("trusted", usual, curve, "-1"), G_TLS_CERTIFICATE_EXPIRED},
      {"for another host", authorities.certify("trusted", "subjectAltName=DNS:elsewhere.example\\n"),
       G_TLS_CERTIFICATE_BAD_IDENTITY},
      {"without the stapled answer that it demands",
       authorities.certify("trusted", std::string(usual) + "tlsfeature=status_request\\n"),
       G_TLS_CERTIFICATE_GENERIC_ERROR},
      {"with a short key", authorities.certify("trusted", usual, "rsa:768"), G_TLS_CERTIFICATE_INSECURE},
      {"of an authority for other names", authorities.certify("between-elsewhere", "subjectAltName=DNS:localhost\\n"),
       G_TLS_CERTIFICATE_GENERIC_ERROR},
      {"signed by what is no authority", authorities.certify("between-nobody"), G_TLS_CERTIFICATE_UNKNOWN_CA},
  };
  const auto good = authorities.certify("trusted");
  for (const Case &one : cases) {
    Host host(one.certificate);
    const Greeting before = greet(host, nullptr);
    fail_if(before.accepted, "%s", one.name);
    fail_unless((before.flags & one.flag) != 0, "%s: %x", one.name, before.flags);

    TlsTrust trust;
    const Greeting unknown = greet(host, &trust);
    fail_if(unknown.accepted, "%s", one.name);
    fail_unless_equals_int_hex(unknown.flags, before.flags);
    fail_if(trust.forget("127.0.0.1", host.port()), "%s", one.name); // what is refused is not learned

    host.greetWith(good);
    fail_unless(greet(host, &trust).accepted, "%s", one.name);
    host.greetWith(one.certificate);
    const Greeting known = greet(host, &trust);
    fail_if(known.accepted, "%s", one.name);
    fail_unless_equals_int_hex(known.flags, before.flags);
  }
}
GST_END_TEST

GST_START_TEST(a_host_that_has_changed_its_authority_is_asked_about_anew) {
  Authorities authorities;
  authorities.found("one");
  authorities.found("two");
  const SystemTrust system(authorities.trust("one.pem two.pem"));
  Host host(authorities.certify("one"));
  TlsTrust trust;
  fail_unless(greet(host, &trust).accepted);
  host.greetWith(authorities.certify("two"));
  if (narrows()) {
    const Greeting refused = greet(host, &trust);
    fail_if(refused.accepted);
    fail_unless_equals_int_hex(refused.flags, G_TLS_CERTIFICATE_UNKNOWN_CA);
    fail_unless(trust.forget("127.0.0.1", host.port()));
    fail_if(trust.forget("127.0.0.1", host.port())); // the caller tries again once
  }
  fail_unless(greet(host, &trust).accepted);
  fail_unless(greet(host, &trust).accepted);
}
GST_END_TEST

GST_START_TEST(two_authorities_of_one_name_are_both_trusted) {
  Authorities authorities;
  authorities.found("one", "the name");
  authorities.found("two", "the name");
  const SystemTrust system(authorities.trust("one.pem two.pem"));
  TlsTrust trust;
  for (const char *authority : {"one", "two"}) {
    const Host host(authorities.certify(authority));
    for (int i = 0; i < 2; ++i)
      fail_unless(greet(host, &trust).accepted, "%s, connection %d", authority, i);
  }
}
GST_END_TEST

GST_START_TEST(an_authority_that_is_trusted_no_more_is_not_among_those_that_a_host_needs) {
  Authorities authorities;
  authorities.found("one");
  authorities.delegate("one", "between", "basicConstraints=critical,CA:TRUE\\n");
  const SystemTrust system(authorities.trust("one.pem between.pem"));
  const Host host(authorities.certify("between"));
  authorities.trust("between.pem"); // which the system's database has not seen
  TlsTrust trust;
  fail_unless(greet(host, &trust).accepted);
  const Greeting known = greet(host, &trust);
  fail_unless(known.accepted);
  fail_unless_equals_int(certificates(known.trusted), 1);
}
GST_END_TEST

GST_START_TEST(an_authority_that_is_trusted_no_more_is_refused_after_the_time_at_the_latest) {
  Authorities authorities;
  authorities.found("one");
  authorities.found("two");
  const SystemTrust system(authorities.trust("one.pem two.pem"));
  const Host host(authorities.certify("one"));
  TlsTrust expired(0s);
  fail_unless(greet(host, &expired).accepted);
  TlsTrust forgotten;
  fail_unless(greet(host, &forgotten).accepted);
  authorities.trust("two.pem");
  if (!narrows())
    return; // then the library holds what it has read
  fail_if(greet(host, nullptr).accepted);
  fail_if(greet(host, &expired).accepted);
  fail_unless(forgotten.forget("127.0.0.1", host.port()));
  fail_if(greet(host, &forgotten).accepted);
}
GST_END_TEST

GST_START_TEST(a_connection_with_a_database_of_its_own_is_left_alone) {
  Authorities authorities;
  authorities.found("one");
  authorities.found("two");
  const Host host(authorities.certify("one"));
  const auto own = adopt(g_tls_file_database_new(authorities.trust("two.pem").c_str(), nullptr));
  TlsTrust trust;
  {
    const SystemTrust system(authorities.trust("one.pem two.pem"));
    for (int i = 0; i < 2; ++i)
      fail_unless(greet(host, &trust).accepted); // known with the system's
    authorities.trust("two.pem");
    fail_if(greet(host, &trust, own.get()).accepted);
  }
}
GST_END_TEST

GST_START_TEST(the_default_database_is_another_one_for_the_moment_of_construction_only) {
  Authorities authorities;
  authorities.found("one");
  authorities.found("two");
  const SystemTrust system(authorities.trust("one.pem"));
  const auto isSystem = [&] {
    return defaultDatabase().get() == system.get();
  };
  {
    const TlsConstruction outer;
    fail_unless(isSystem() != narrows());
    {
      const TlsConstruction inner;
      fail_unless(isSystem() != narrows());
    }
    fail_unless(isSystem() != narrows());
  }
  fail_unless(isSystem());

  const auto applications = adopt(g_tls_file_database_new(authorities.trust("two.pem").c_str(), nullptr));
  {
    const TlsConstruction construction;
    g_tls_backend_set_default_database(g_tls_backend_get_default(), applications.get());
  }
  fail_unless(defaultDatabase().get() == applications.get());
}
GST_END_TEST

GST_START_TEST(what_another_thread_connects_at_that_moment_is_verified_too) {
  Authorities authorities;
  authorities.found("one");
  authorities.found("two");
  const SystemTrust system(authorities.trust("one.pem"));
  for (const auto &[authority, accepted] : {std::pair("one", true), std::pair("two", false)}) {
    const Host host(authorities.certify(authority));
    const auto client = adopt(g_socket_client_new());
    const auto socket =
        adopt(g_socket_client_connect_to_host(client.get(), "127.0.0.1", host.port(), nullptr, nullptr));
    const auto identity = adopt(g_network_address_new("127.0.0.1", host.port()));
    std::optional<TlsConstruction> construction;
    construction.emplace();
    const auto stream =
        adopt(g_tls_client_connection_new(G_IO_STREAM(socket.get()), G_SOCKET_CONNECTABLE(identity.get()), nullptr));
    construction.reset();
    fail_unless((g_tls_connection_handshake(G_TLS_CONNECTION(stream.get()), nullptr, nullptr) != FALSE) == accepted);
    g_io_stream_close(G_IO_STREAM(stream.get()), nullptr, nullptr);
  }
}
GST_END_TEST

static Suite *tls_trust_suite() {
  Suite *suite = suite_create("tls_trust");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, a_known_host_is_verified_with_the_certificates_that_it_needs);
  tcase_add_test(tests, what_is_refused_without_it_is_refused_for_the_same_reasons);
  tcase_add_test(tests, a_host_that_has_changed_its_authority_is_asked_about_anew);
  tcase_add_test(tests, two_authorities_of_one_name_are_both_trusted);
  tcase_add_test(tests, an_authority_that_is_trusted_no_more_is_not_among_those_that_a_host_needs);
  tcase_add_test(tests, an_authority_that_is_trusted_no_more_is_refused_after_the_time_at_the_latest);
  tcase_add_test(tests, a_connection_with_a_database_of_its_own_is_left_alone);
  tcase_add_test(tests, the_default_database_is_another_one_for_the_moment_of_construction_only);
  tcase_add_test(tests, what_another_thread_connects_at_that_moment_is_verified_too);
  return suite;
}

GST_CHECK_MAIN(tls_trust)
