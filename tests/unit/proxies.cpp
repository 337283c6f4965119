// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/proxies.h"

#include <memory>
#include <string>

#include "await.h"
#include "http/session.h"
#include "support/test_server.h"
#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;
using namespace std::chrono_literals;

namespace {

/// Addresses that the system's resolver was asked for, with a comma behind each. Of the network thread.
std::string asked;

/// A resolver of the system: no proxy for anything, but an error for what is called "broken".
struct CountingResolver {
  GObject parent;
};
struct CountingResolverClass {
  GObjectClass parent;
};

void counting_resolver_serve(GProxyResolverInterface *type) {
  type->is_supported = [](GProxyResolver *) -> gboolean {
    return TRUE;
  };
  type->lookup_async = [](GProxyResolver *self, const gchar *address, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer data) {
    asked += std::string(address) + ",";
    const auto task = adopt(g_task_new(self, cancellable, callback, data));
    if (g_str_has_prefix(address, "http://broken"))
      return g_task_return_new_error(task.get(), G_IO_ERROR, G_IO_ERROR_FAILED, "it is broken");
    const gchar *const direct[] = {"direct://", nullptr};
    g_task_return_pointer(task.get(), g_strdupv(const_cast<gchar **>(direct)),
                          reinterpret_cast<GDestroyNotify>(g_strfreev));
  };
  type->lookup_finish = [](GProxyResolver *, GAsyncResult *result, GError **error) {
    return static_cast<gchar **>(g_task_propagate_pointer(G_TASK(result), error));
  };
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
G_DEFINE_TYPE_WITH_CODE(CountingResolver, counting_resolver, G_TYPE_OBJECT,
                        G_IMPLEMENT_INTERFACE(G_TYPE_PROXY_RESOLVER, counting_resolver_serve))
#pragma GCC diagnostic pop
void counting_resolver_class_init(CountingResolverClass *) {}
void counting_resolver_init(CountingResolver *) {}

void beTheSystems() {
  g_io_extension_point_register(G_PROXY_RESOLVER_EXTENSION_POINT_NAME);
  g_io_extension_point_implement(G_PROXY_RESOLVER_EXTENSION_POINT_NAME, counting_resolver_get_type(), "counting", 1000);
  fail_unless(G_TYPE_CHECK_INSTANCE_TYPE(g_proxy_resolver_get_default(), counting_resolver_get_type()));
}

/// The proxies for an address, with a comma behind each; the error's words where there are none.
Task<std::string> look(GProxyResolver *resolver, const char *address, GCancellable *cancellable = nullptr) {
  using Said = std::string;
  ViaCallback<Said> answer([=](const ViaCallback<Said>::Say &say) {
    const GAsyncReadyCallback done = [](GObject *source, GAsyncResult *result, gpointer data) {
      const std::unique_ptr<ViaCallback<Said>::Say> tell(static_cast<ViaCallback<Said>::Say *>(data));
      GErrorSlot error;
      const GStrvPtr proxies(g_proxy_resolver_lookup_finish(G_PROXY_RESOLVER(source), result, &error));
      Said said = error ? error.message() : "";
      for (char **proxy = proxies.get(); proxy && *proxy; ++proxy)
        said += std::string(*proxy) + ",";
      (*tell)(said);
    };
    g_proxy_resolver_lookup_async(resolver, address, cancellable, done, new ViaCallback<Said>::Say(say));
  });
  co_return co_await answer;
}

/// Three purchases, by a session that was told of the address first, or not.
void expectOneQuestion(bool foreseen) {
  const TestServer server([](const Seen &, Answer &answer) { answer.json(200, "{}"); });
  const auto buy = [&]() -> Task<void> {
    asked.clear();
    HttpSession session((SessionOptions()));
    if (foreseen)
      session.foresee(server.url() + "/v2");
    Cancellation cancellation;
    (void)co_await cancellation.sleepUntil(Clock::now() + 1ms);
    HttpRequest request;
    request.method = "POST";
    request.url = server.url() + "/v2/video/generations?a=b";
    request.body = adopt(g_bytes_new_static("{}", 2));
    if (foreseen)
      fail_unless_equals_text(asked, server.url() + ",");
    for (unsigned times = 0; times < 3; ++times) {
      const AttemptTime time{Clock::now() + 20s, 20s};
      const auto response = co_await session.exchange(request, cancellation, time, 1000);
      fail_unless(response.has_value());
      fail_unless_equals_text(asked, server.url() + ",");
    }
  };
  await(buy());
}

} // namespace

GST_START_TEST(what_was_said_of_an_address_is_used_again_for_that_one_alone) {
  beTheSystems();
  const auto all = []() -> Task<void> {
    asked.clear();
    const auto resolver = rememberingResolver(g_proxy_resolver_get_default());
    for (unsigned times = 0; times < 2; ++times)
      fail_unless_equals_text(co_await look(resolver.get(), "http://a:80"), "direct://,");
    fail_unless_equals_text(co_await look(resolver.get(), "http://a:81"), "direct://,");
    fail_unless_equals_text(asked, "http://a:80,http://a:81,");
  };
  await(all());
}
GST_END_TEST

GST_START_TEST(what_was_not_found_out_is_asked_again) {
  beTheSystems();
  const auto all = []() -> Task<void> {
    asked.clear();
    const auto resolver = rememberingResolver(g_proxy_resolver_get_default());
    for (unsigned times = 0; times < 2; ++times)
      fail_unless_equals_text(co_await look(resolver.get(), "http://broken:80"), "it is broken");
    const auto cancelled = adopt(g_cancellable_new());
    g_cancellable_cancel(cancelled.get());
    fail_unless(co_await look(resolver.get(), "http://a:80", cancelled.get()) != "direct://,");
    fail_unless_equals_text(co_await look(resolver.get(), "http://a:80"), "direct://,");
    fail_unless_equals_text(asked, "http://broken:80,http://broken:80,http://a:80,http://a:80,");
  };
  await(all());
}
GST_END_TEST

GST_START_TEST(connections_to_one_host_ask_once_for_its_proxy_and_not_at_all_where_it_was_foreseen) {
  beTheSystems();
  expectOneQuestion(false);
  expectOneQuestion(true);
}
GST_END_TEST

static Suite *proxies_suite() {
  TCase *tests = tcase_create("tests");
  tcase_add_test(tests, what_was_said_of_an_address_is_used_again_for_that_one_alone);
  tcase_add_test(tests, what_was_not_found_out_is_asked_again);
  tcase_add_test(tests, connections_to_one_host_ask_once_for_its_proxy_and_not_at_all_where_it_was_foreseen);
  Suite *suite = suite_create("proxies");
  suite_add_tcase(suite, tests);
  return suite;
}

GST_CHECK_MAIN(proxies)
