// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emulator/wire/bytes.h"
#include "emulator/wire/json.h"

namespace aimlvideo::emulator {

/// A request as it came, its path and query still percent-encoded.
struct Request {
  std::string method;
  std::string path;
  std::string query;
  std::string origin;                         ///< scheme and host as the client named them, for addresses in answers
  std::map<std::string, std::string> headers; ///< names in lower case
  Bytes body;

  std::string header(const std::string &name) const;
  /// Path and query as on the request line.
  std::string target() const { return query.empty() ? path : path + "?" + query; }
  /// The decoded values of a query parameter, in order.
  std::vector<std::string> parameters(std::string_view name) const;
  std::optional<std::string> parameter(std::string_view name) const;
  /// The names of all query parameters.
  std::vector<std::string> parameterNames() const;
  /// The key of "Authorization: Bearer KEY"; empty without one.
  std::string key() const;
};

struct Response {
  unsigned status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string contentType = "application/json; charset=utf-8";
  Bytes body;

  static Response json(unsigned status, const Json &value);
  Response &header(std::string name, std::string value);
  std::string headerValue(std::string_view name) const;
};

/// The service's error: {message, path, requestId, statusCode, timestamp}.
Response errorResponse(const Request &request, unsigned status, const std::string &message);

std::string newUuid();
/// ISO 8601 in UTC with milliseconds, from microseconds since 1970.
std::string isoTime(gint64 microseconds);
/// As HTTP headers want it, from seconds since 1970.
std::string httpTime(gint64 seconds);
/// The seconds since 1970 of an HTTP date.
std::optional<gint64> readHttpTime(const std::string &text);

} // namespace aimlvideo::emulator
