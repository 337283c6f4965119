// SPDX-License-Identifier: LGPL-2.1-or-later
#include "service/probe.h"

#include "http/address.h"

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

Task<void> lookUp(const std::string &host, Cancellation &cancellation, Probe &probe) {
  const Cancellation::Attempt attempt(cancellation, Clock::now() + patience);
  const auto found = co_await addressesOf(host, attempt.cancellable());
  if (!found)
    probe.nameProblem =
        g_cancellable_is_cancelled(attempt.cancellable()) ? "no name server has answered in time" : found.error();
  else
    for (const auto &address : *found)
      probe.addresses.emplace_back(GCharPtr(g_inet_address_to_string(address.get())).get());
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
