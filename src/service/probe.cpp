// SPDX-License-Identifier: LGPL-2.1-or-later
#include "service/probe.h"

namespace aimlvideo {

namespace {

constexpr std::chrono::seconds patience{10};
constexpr auto listOfModels = "/v1/models"; // which needs no key

/// A proxy as it may be shown.
std::string withoutUser(const std::string &proxy) {
  const auto uri = adopt(g_uri_parse(proxy.c_str(), G_URI_FLAGS_ENCODED, nullptr));
  if (!uri)
    return "one whose address is no URI";
  const GCharPtr shown(g_uri_to_string_partial(uri.get(), G_URI_HIDE_USERINFO));
  return shown.get();
}

/// Awaited: the addresses of a host.
class NameLookup {
public:
  NameLookup(const std::string &host, GCancellable *cancellable, Probe &probe)
      : host_(host), cancellable_(cancellable), probe_(probe) {}

  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) {
    awaiter_ = awaiter;
    const auto resolver = adopt(g_resolver_get_default());
    g_resolver_lookup_by_name_async(
        resolver.get(), host_.c_str(), cancellable_,
        [](GObject *source, GAsyncResult *result, gpointer data) {
          auto *self = static_cast<NameLookup *>(data);
          self->finish(G_RESOLVER(source), result);
          self->awaiter_.resume();
        },
        this);
  }
  void await_resume() const {}

private:
  void finish(GResolver *resolver, GAsyncResult *result) {
    GErrorSlot error;
    GList *addresses = g_resolver_lookup_by_name_finish(resolver, result, &error);
    for (const GList *item = addresses; item; item = item->next) {
      const GCharPtr text(g_inet_address_to_string(G_INET_ADDRESS(item->data)));
      probe_.addresses.emplace_back(text.get());
    }
    g_resolver_free_addresses(addresses);
    if (g_error_matches(error.get(), G_IO_ERROR, G_IO_ERROR_CANCELLED))
      probe_.nameProblem = "no name server has answered in time";
    else if (error)
      probe_.nameProblem = error.message();
  }

  const std::string &host_;
  GCancellable *cancellable_;
  Probe &probe_;
  std::coroutine_handle<> awaiter_;
};

Task<void> lookUp(const std::string &host, Cancellation &cancellation, Probe &probe) {
  const Cancellation::Attempt attempt(cancellation, Clock::now() + patience);
  NameLookup lookup(host, attempt.cancellable(), probe);
  co_await lookup;
}

std::optional<std::chrono::seconds> howFarAhead(const HttpResponse &head) {
  const auto date = head.header("Date");
  const auto told = adopt(date ? soup_date_time_new_from_http_string(date->c_str()) : nullptr);
  const auto here = adopt(g_date_time_new_now_utc());
  if (!told)
    return std::nullopt;
  return std::chrono::seconds(g_date_time_to_unix(here.get()) - g_date_time_to_unix(told.get()));
}

Task<Probe> probe(const Settings &settings, const ServiceAddress &address, const std::string &proxy,
                  Cancellation &cancellation) {
  Probe found;
  const auto uri = adopt(g_uri_parse(address.baseUrl.c_str(), G_URI_FLAGS_ENCODED, nullptr));
  const std::string host = g_uri_get_host(uri.get());
  if (!proxy.empty())
    found.proxy = withoutUser(proxy);
  else
    co_await lookUp(host, cancellation, found);
  if (!found.nameProblem.empty()) {
    found.status = tl::unexpected(TransportError{TransportError::Cause::Unreachable, false, found.nameProblem});
    co_return found;
  }
  HttpSession session(sessionOptionsOf(settings));
  HttpRequest request;
  request.url = address.baseUrl + listOfModels;
  const auto begun = Clock::now();
  const auto answer = co_await session.open(request, cancellation, begun + patience);
  found.time = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun);
  if (!answer) {
    found.status = tl::unexpected(answer.error());
    co_return found;
  }
  found.status = (*answer)->head().status;
  found.clockAhead = howFarAhead((*answer)->head());
  co_return found;
}

} // namespace

Probe probeService(const Settings &settings, const ServiceAddress &address, Cancellation &cancellation) {
  const std::string proxy = proxyFor(settings.proxy, address.baseUrl);
  return Loop::instance().wait(probe(settings, address, proxy, cancellation));
}

} // namespace aimlvideo
