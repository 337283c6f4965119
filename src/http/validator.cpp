// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/validator.h"

namespace aimlvideo {

namespace {

constexpr unsigned maximumRedirects = 5;

std::string partOf(const std::string &url, const char *(*part)(GUri *)) {
  const auto uri = adopt(g_uri_parse(url.c_str(), httpUriFlags, nullptr));
  const char *text = uri ? part(uri.get()) : nullptr;
  return text ? text : "";
}

/// Where the answer to `request`, whose address the user gave, sends it on. The same host may do so as it likes, any
/// other one must be of the public internet; https stays https.
bool redirect(HttpRequest &request, const std::string &location) {
  const auto next = redirectTarget(request.url, location);
  if (!next)
    return false;
  const bool secured = partOf(request.url, g_uri_get_scheme) == "https";
  if (secured && partOf(*next, g_uri_get_scheme) != "https")
    return false;
  request.publicOnly = request.publicOnly || partOf(request.url, g_uri_get_host) != partOf(*next, g_uri_get_host);
  request.url = *next;
  return true;
}

/// The head of the answer behind any redirects.
Task<std::optional<HttpResponse>> headOf(HttpSession &session, HttpRequest request, Cancellation &cancellation,
                                         Clock::time_point deadline) {
  for (unsigned redirects = 0; redirects <= maximumRedirects; ++redirects) {
    const auto stream = co_await session.open(request, cancellation, deadline);
    if (!stream)
      co_return std::nullopt;
    const HttpResponse &head = (*stream)->head();
    const auto location = head.header("Location");
    if (head.status < 300 || head.status >= 400 || !location)
      co_return head;
    if (!redirect(request, *location))
      co_return std::nullopt;
  }
  co_return std::nullopt;
}

} // namespace

Task<std::optional<std::string>> validatorOf(HttpSession &session, const std::string &url, Cancellation &cancellation,
                                             Clock::time_point deadline, bool publicOnly) {
  HttpRequest request;
  request.url = url;
  request.publicOnly = publicOnly;
  request.method = "HEAD";
  auto head = co_await headOf(session, request, cancellation, deadline);
  if (!head || !head->successful()) {
    request.method = "GET";
    request.headers = {{"Range", "bytes=0-0"}};
    head = co_await headOf(session, request, cancellation, deadline);
  }
  if (!head || !head->successful())
    co_return std::nullopt;
  const auto tag = head->header("ETag");
  co_return tag ? tag : head->header("Last-Modified");
}

} // namespace aimlvideo
