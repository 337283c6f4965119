// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/wire/http.h"

#include <algorithm>

#include <libsoup/soup.h>

namespace aimlvideo::emulator {

namespace {

std::string decode(std::string_view text) {
  std::string plain(text);
  std::ranges::replace(plain, '+', ' ');
  const GCharPtr decoded(g_uri_unescape_string(plain.c_str(), nullptr));
  return decoded ? decoded.get() : plain;
}

std::vector<std::pair<std::string, std::string>> splitQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    if (!pair.empty())
      pairs.emplace_back(decode(pair.substr(0, equals)), decode(value));
  }
  return pairs;
}

} // namespace

std::string Request::header(const std::string &name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

std::vector<std::string> Request::parameters(std::string_view name) const {
  std::vector<std::string> values;
  for (auto &[key, value] : splitQuery(query))
    if (key == name)
      values.push_back(std::move(value));
  return values;
}

std::optional<std::string> Request::parameter(std::string_view name) const {
  const std::vector<std::string> values = parameters(name);
  return values.empty() ? std::nullopt : std::optional(values.front());
}

std::vector<std::string> Request::parameterNames() const {
  std::vector<std::string> names;
  for (auto &[name, value] : splitQuery(query))
    names.push_back(name);
  return names;
}

std::string Request::key() const {
  constexpr std::string_view scheme = "bearer ";
  std::string value = header("authorization");
  if (g_ascii_strncasecmp(value.c_str(), scheme.data(), scheme.size()) != 0)
    return {};
  value.erase(0, scheme.size());
  return g_strstrip(value.data());
}

Response Response::json(unsigned status, const Json &value) {
  Response response;
  response.status = status;
  response.body = Bytes(value.dump());
  return response;
}

Response &Response::header(std::string name, std::string value) {
  headers.emplace_back(std::move(name), std::move(value));
  return *this;
}

std::string Response::headerValue(std::string_view name) const {
  const auto found =
      std::ranges::find(headers, name, [](const auto &header) -> std::string_view { return header.first; });
  return found == headers.end() ? std::string() : found->second;
}

Response errorResponse(const Request &request, unsigned status, const std::string &message) {
  return Response::json(status, Json::object({{"message", message},
                                              {"path", request.target()},
                                              {"requestId", newUuid()},
                                              {"statusCode", status},
                                              {"timestamp", isoTime(g_get_real_time())}}));
}

std::string newUuid() {
  const GCharPtr uuid(g_uuid_string_random());
  return uuid.get();
}

std::string isoTime(gint64 microseconds) {
  const auto time = adopt(g_date_time_new_from_unix_utc(microseconds / G_USEC_PER_SEC));
  const GCharPtr text(g_date_time_format(time.get(), "%Y-%m-%dT%H:%M:%S"));
  char fraction[16];
  g_snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(microseconds / 1000 % 1000));
  return std::string(text.get()) + fraction;
}

std::string httpTime(gint64 seconds) {
  const auto time = adopt(g_date_time_new_from_unix_utc(seconds));
  const GCharPtr text(soup_date_time_to_string(time.get(), SOUP_DATE_HTTP));
  return text.get();
}

std::optional<gint64> readHttpTime(const std::string &text) {
  const auto time = adopt(soup_date_time_new_from_http_string(text.c_str()));
  return time ? std::optional(g_date_time_to_unix(time.get())) : std::nullopt;
}

} // namespace aimlvideo::emulator
