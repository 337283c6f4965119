// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/validator.h"

namespace aimlvideo {

namespace {

constexpr unsigned maximumRedirects = 5;

/// The head of the answer behind any redirects.
std::optional<HttpResponse> headOf(HttpSession &session, HttpRequest request, Cancellation &cancellation,
                                   Clock::time_point deadline) {
  for (unsigned redirects = 0; redirects <= maximumRedirects; ++redirects) {
    const auto stream = session.open(request, cancellation, deadline);
    if (!stream)
      return std::nullopt;
    const HttpResponse &head = (*stream)->head();
    const auto location = head.header("Location");
    if (head.status < 300 || head.status >= 400 || !location)
      return head;
    const auto next = redirectTarget(request.url, *location);
    if (!next)
      return std::nullopt;
    request.url = *next;
  }
  return std::nullopt;
}

} // namespace

std::optional<std::string> validatorOf(HttpSession &session, const std::string &url, Cancellation &cancellation,
                                       Clock::time_point deadline) {
  HttpRequest request;
  request.url = url;
  request.method = "HEAD";
  auto head = headOf(session, request, cancellation, deadline);
  if (!head || !head->successful()) {
    request.method = "GET";
    request.headers = {{"Range", "bytes=0-0"}};
    head = headOf(session, request, cancellation, deadline);
  }
  if (!head || !head->successful())
    return std::nullopt;
  const auto tag = head->header("ETag");
  return tag ? tag : head->header("Last-Modified");
}

} // namespace aimlvideo
