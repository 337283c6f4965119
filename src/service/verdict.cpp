// SPDX-License-Identifier: LGPL-2.1-or-later
#include "service/verdict.h"

#include <algorithm>

#include "api/endpoint.h"
#include "api/reply.h"
#include "http/retry.h"

namespace aimlvideo {

namespace {

Verdict verdictOn(const TransportError &error) {
  if (error.sent)
    return Verdict::Unknown;
  switch (error.cause) {
  case TransportError::Cause::Cancelled:
    return Verdict::Cancelled;
  case TransportError::Cause::Tls:
  case TransportError::Cause::BadUrl:
    return Verdict::Untrusted;
  case TransportError::Cause::Declined:
    return Verdict::TurnedAway;
  default:
    return Verdict::Unreachable;
  }
}

bool mentionsMoney(const std::string &message) {
  const GCharPtr text(g_ascii_strdown(message.c_str(), -1));
  for (const char *sign : {"credit", "fund", "balance", "verification", "billing"})
    if (std::string_view(text.get()).find(sign) != std::string_view::npos)
      return true;
  return false;
}

} // namespace

Verdict verdictOn(const Exchanged<HttpResponse> &submission) {
  if (!submission)
    return verdictOn(submission.error());
  const unsigned status = submission->status;
  if (submission->successful())
    return Verdict::Accepted;
  if (status == 413 || status == 421 || status == 429 || status == 503)
    return Verdict::TurnedAway;
  if (status == 404)
    return saysPathIsUnknown(submission->body) ? Verdict::PathUnknown : Verdict::Refused;
  // 303 leads to the result of what was done, and 304 is a cache's word for one; 408 comes from gateways, which may
  // have passed the request on
  const bool refused = status >= 300 && status < 500 && status != 303 && status != 304 && status != 408;
  return refused ? Verdict::Refused : Verdict::Unknown;
}

Error refusalFrom(const HttpResponse &response) {
  const unsigned status = response.status;
  Error error{};
  error.httpStatus = status;
  error.serviceMessage = serviceMessage(response.body);
  error.requestId = requestIdOf(response);
  const std::string code =
      "HTTP status " + std::to_string(status) + (error.requestId.empty() ? "" : ", request id " + error.requestId);
  error.why = error.serviceMessage.empty() ? code : error.serviceMessage + " (" + code + ")";
  if (status >= 300 && status < 400) {
    error.kind = ErrorKind::BadRequest;
    error.what = "the service redirects, which is not followed because the key would be sent along";
    error.why = code + ", to " + response.header("Location").value_or("nowhere");
    error.remedy = "Set base-url to the service's address";
  } else if (status == 401) {
    error.kind = ErrorKind::NotAuthorized;
    error.what = "the service refuses the API key";
    error.remedy = "Check AIMLAPI_KEY, api-key or api-key-file; keys are at https://aimlapi.com/app/keys";
  } else if (status == 402 || status == 403) {
    error.kind = ErrorKind::NotAuthorized;
    error.what = status == 402 || mentionsMoney(error.serviceMessage) ? "the service refuses for lack of funds"
                                                                      : "the service refuses the request";
    error.remedy = "Check the account's balance and the key's permissions at https://aimlapi.com/app";
  } else if (status == 404) {
    error.kind = ErrorKind::NotFound;
    error.what = "the service does not know what was asked for";
    error.remedy = "Check model, base-url and endpoint";
  } else if (status == 413) {
    error.kind = ErrorKind::BadRequest;
    error.what = "the service says that the request is too large";
    error.remedy = "Give smaller images, or http(s) addresses instead of files";
  } else if (status == 421 || status == 429 || status == 503) {
    error.kind = ErrorKind::Busy;
    error.what = "the service turns requests away";
    error.remedy = "Try again later";
  } else if (status >= 400 && status < 500) {
    error.kind = ErrorKind::BadRequest;
    error.what = "the service refuses the request";
    error.remedy = "Check the properties against the model's documentation";
  } else {
    error.kind = ErrorKind::BadAnswer;
    error.what = "the service failed";
    error.remedy = "Try again later";
  }
  return error;
}

std::string requestIdOf(const HttpResponse &response) {
  constexpr size_t longest = 128;
  for (const std::string &id : {requestIdIn(response.body), response.header("x-request-id").value_or("")}) {
    const bool plain = std::all_of(id.begin(), id.end(), [](char c) { return g_ascii_isgraph(c); });
    if (!id.empty() && id.size() <= longest && plain)
      return id;
  }
  return {};
}

std::optional<std::chrono::seconds> retryAfterOf(const HttpResponse &response) {
  const auto value = response.header("Retry-After");
  return value ? parseRetryAfter(*value, std::chrono::system_clock::now()) : std::nullopt;
}

} // namespace aimlvideo
