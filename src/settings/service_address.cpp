// SPDX-License-Identifier: LGPL-2.1-or-later
#include "settings/service_address.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "api/endpoint.h"

namespace aimlvideo {

namespace {

/// Headers that decide what a request means, which is not for the user of `extra-headers` to say.
constexpr std::array reservedHeaders{"Authorization",  "X-Client-Request-Id", "Host",
                                     "Content-Length", "Content-Type",        "Transfer-Encoding"};

/// The text is not quoted: it may hold a password.
Result<void> checkProxy(const std::string &proxy) {
  if (proxy.empty() || g_uri_is_valid(proxy.c_str(), G_URI_FLAGS_NONE, nullptr))
    return {};
  return failure(ErrorKind::BadRequest, "proxy can't be used", "it is not a URI",
                 "Write it as http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT with percent signs for what a URI "
                 "can't hold");
}

Result<void> checkHeaders(const Headers &headers) {
  for (const auto &[name, value] : headers) {
    const std::string what = "extra-headers: \"" + name + "\" can't be sent";
    const auto isToken = [](unsigned char c) {
      return g_ascii_isalnum(c) || std::strchr("!#$%&'*+-.^_`|~", c);
    };
    if (name.empty() || !std::all_of(name.begin(), name.end(), isToken))
      return failure(ErrorKind::BadRequest, what, "it is not a valid header name", "Use letters, digits and dashes");
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      return failure(ErrorKind::BadRequest, what, "its value contains a line break", "Remove it");
    for (const char *reserved : reservedHeaders)
      if (g_ascii_strcasecmp(name.c_str(), reserved) == 0)
        return failure(ErrorKind::BadRequest, what, "this header is set by the element itself",
                       "For the key use api-key, api-key-file or $AIMLAPI_KEY");
  }
  return {};
}

/// Where requests go that name no base URL, and where the key belongs that is not named beside one.
std::string environmentsBaseUrl() {
  const char *text = g_getenv("AIMLAPI_BASE_URL");
  return text && *text ? text : defaultBaseUrl;
}

} // namespace

std::string effectiveBaseUrl(const Settings &settings) {
  return settings.baseUrl.empty() ? environmentsBaseUrl() : settings.baseUrl;
}

Result<ServiceAddress> serviceAddressOf(const Settings &settings) {
  auto url = checkedBaseUrl(effectiveBaseUrl(settings));
  if (!url)
    return tl::unexpected(std::move(url.error()));
  if (const auto proxy = checkProxy(settings.proxy); !proxy)
    return tl::unexpected(proxy.error());
  if (const auto headers = checkHeaders(settings.extraHeaders); !headers)
    return tl::unexpected(headers.error());
  const auto uri = adopt(g_uri_parse(url->c_str(), G_URI_FLAGS_ENCODED, nullptr));
  return ServiceAddress{std::move(*url), isLoopbackHost(g_uri_get_host(uri.get()))};
}

SessionOptions sessionOptionsOf(const Settings &settings) {
  SessionOptions options;
  options.userAgent = settings.userAgent;
  options.proxy = settings.proxy;
  options.tlsDatabase = settings.tlsDatabase;
  return options;
}

Result<void> checkKeyMayGo(const Settings &settings) {
  if (settings.baseUrl.empty() || !settings.apiKey.empty() || !settings.apiKeyFile.empty())
    return {};
  const std::string own = environmentsBaseUrl();
  if (normalizedBaseUrl(settings.baseUrl) == normalizedBaseUrl(own))
    return {};
  return failure(
      ErrorKind::NotAuthorized, "there is no API key for base-url \"" + settings.baseUrl + "\"",
      "a key from the environment, such as $AIMLAPI_KEY, or a credential goes to " + own + " only",
      "Set api-key or api-key-file beside base-url, or the environment variable AIMLAPI_BASE_URL instead of it");
}

} // namespace aimlvideo
