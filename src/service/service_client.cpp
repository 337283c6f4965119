// SPDX-License-Identifier: LGPL-2.1-or-later
#include "service/service_client.h"

#include "api/masking.h"
#include "http/address.h"

namespace aimlvideo {

namespace {

/// Far above every answer of the service, a few kilobytes.
constexpr size_t largestAnswer = 4 << 20;

} // namespace

ServiceClient::ServiceClient(HttpSession &session, const Plan &plan, Headers extraHeaders)
    : session_(session), plan_(plan), extraHeaders_(std::move(extraHeaders)) {}

Task<Exchanged<HttpResponse>> ServiceClient::create(EndpointFamily family, const std::string &clientRequestId,
                                                    Cancellation &cancellation, AttemptTime time, Starting starting) {
  HttpRequest request;
  request.method = "POST";
  request.url = plan_.baseUrl + endpointPath(family, plan_.request.known);
  request.headers = {{"X-Client-Request-Id", clientRequestId}};
  // the plan outlives the exchange, so the body, which may hold megabytes of image, is not copied
  request.body = adopt(g_bytes_new_static(plan_.request.body.data(), plan_.request.body.size()));
  return exchange(std::move(request), cancellation, time, std::move(starting));
}

Task<Exchanged<HttpResponse>> ServiceClient::poll(EndpointFamily family, const Model *model,
                                                  const std::string &generationId, Cancellation &cancellation,
                                                  AttemptTime time) {
  HttpRequest request;
  request.url = plan_.baseUrl + pollPath(family, model, generationId);
  request.isPoll = true;
  return exchange(std::move(request), cancellation, time, {});
}

Task<Exchanged<HttpResponse>> ServiceClient::logs(const char *period, unsigned offset, Cancellation &cancellation,
                                                  AttemptTime time) {
  HttpRequest request;
  request.url = plan_.baseUrl + logsPath(period, offset);
  return exchange(std::move(request), cancellation, time, {});
}

Task<Exchanged<HttpResponse>> ServiceClient::get(const std::string &path, Cancellation &cancellation,
                                                 AttemptTime time) {
  HttpRequest request;
  request.url = plan_.baseUrl + path;
  return exchange(std::move(request), cancellation, time, {});
}

Task<Exchanged<HttpResponse>> ServiceClient::exchange(HttpRequest request, Cancellation &cancellation, AttemptTime time,
                                                      Starting starting) {
  request.headers.emplace_back("Accept", "application/json, */*;q=0.5");
  request.bearer = plan_.key;
  request.headers.insert(request.headers.end(), extraHeaders_.begin(), extraHeaders_.end());
  auto response = co_await session_.exchange(request, cancellation, time, largestAnswer, std::move(starting));
  if (response) {
    metLocally_ = metLocally_.value_or(true) && response->fromLocalAddress;
    response->body = withoutSecrets(std::move(response->body));
    for (auto &[name, value] : response->headers)
      value = withoutSecrets(std::move(value));
  } else {
    response.error().message = withoutSecrets(std::move(response.error().message));
  }
  co_return response;
}

Task<bool> ServiceClient::isLocal(GCancellable *cancellable) const {
  const auto uri = adopt(g_uri_parse(plan_.baseUrl.c_str(), httpUriFlags, nullptr));
  const char *host = uri ? g_uri_get_host(uri.get()) : nullptr;
  if (!host)
    co_return false;
  if (const auto address = adopt(g_inet_address_new_from_string(host)))
    co_return !isPublic(address.get());
  if (isLoopbackHost(host))
    co_return true;
  if (!metLocally_.value_or(false))
    co_return false;
  const std::string name = host;
  co_return co_await isAtLocalAddress(name, cancellable);
}

std::string ServiceClient::withoutSecrets(std::string text) const {
  mask(text, plan_.key.reveal(), "(key)");
  for (const auto &[name, value] : extraHeaders_)
    mask(text, value, "(" + name + ")");
  return text;
}

} // namespace aimlvideo
