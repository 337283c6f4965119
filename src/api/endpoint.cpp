// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/endpoint.h"

#include <algorithm>

#include <gio/gio.h>

#include "api/reply.h"
#include "base/json/node.h"

namespace aimlvideo {

namespace {

std::string withoutFinalSlashes(std::string url) {
  while (url.ends_with('/'))
    url.pop_back();
  return url;
}

} // namespace

std::string endpointPath(EndpointFamily family, const Model *model) {
  if (family == EndpointFamily::Universal)
    return "/v2/video/generations";
  return model && !model->legacyPath.empty() ? model->legacyPath : "/v2/generate/video/kling/generation";
}

std::string pollPath(EndpointFamily family, const Model *model, std::string_view generationId) {
  const GCharPtr encoded(g_uri_escape_string(std::string(generationId).c_str(), nullptr, FALSE));
  return endpointPath(family, model) + "?generation_id=" + encoded.get();
}

bool saysPathIsUnknown(std::string_view body) {
  const auto node = json::parse(body);
  if (!node || !json::objectIn(node->get()))
    return true; // a gateway's page: the service itself answers in JSON
  // its framework puts the sentence into `message`, beside an `error` that only says "Not Found"
  const std::string message = json::scalarText(json::member(json::objectIn(node->get()), "message")).value_or("");
  return message.starts_with("Cannot POST") || serviceMessage(body).starts_with("Cannot POST");
}

Result<std::string> checkedBaseUrl(const std::string &url) {
  if (!g_utf8_validate_len(url.data(), url.size(), nullptr)) // not even its refusal could be shown
    return failure(ErrorKind::BadRequest, "base-url can't be used", "it is not UTF-8 text",
                   std::string("Give an address such as ") + defaultBaseUrl);
  const auto refuse = [&](const std::string &why) {
    return failure(ErrorKind::BadRequest, "base-url \"" + url + "\" can't be used", why,
                   std::string("Give an address such as ") + defaultBaseUrl);
  };
  const auto isBlank = [](unsigned char c) {
    return c <= ' ' || c == 0x7f;
  };
  if (std::any_of(url.begin(), url.end(), isBlank))
    return refuse("it contains a space or a line break");
  GErrorSlot error;
  const auto uri = adopt(g_uri_parse(url.c_str(), G_URI_FLAGS_ENCODED, &error));
  if (!uri)
    return refuse(error.message());
  const std::string scheme = g_uri_get_scheme(uri.get());
  const char *host = g_uri_get_host(uri.get());
  if (!host || !*host)
    return refuse("it names no host");
  if (scheme != "https" && !(scheme == "http" && isLoopbackHost(host)))
    return refuse(scheme == "http" ? "the key would leave this machine unencrypted; http is for loopback addresses only"
                                   : "only https, and http on loopback, are possible");
  if (g_uri_get_userinfo(uri.get()) || g_uri_get_query(uri.get()) || g_uri_get_fragment(uri.get()))
    return refuse("it must not hold a user name, a query or a fragment");
  return withoutFinalSlashes(url);
}

namespace {

/// A host's name in lower case, or the usual text of a literal address.
std::string normalizedHost(const char *host) {
  const auto address = adopt(g_inet_address_new_from_string(host));
  const GCharPtr text(address ? g_inet_address_to_string(address.get()) : g_ascii_strdown(host, -1));
  std::string name(text.get());
  if (name.ends_with('.')) // the root, which every name ends at
    name.pop_back();
  return name;
}

/// `nameOf` says how a host is written.
template <typename NameOf>
std::string rewritten(const std::string &baseUrl, const NameOf &nameOf) {
  constexpr auto flags = static_cast<GUriFlags>(G_URI_FLAGS_ENCODED | G_URI_FLAGS_SCHEME_NORMALIZE);
  // only a relative reference is freed of its dot segments
  const auto base = adopt(g_uri_parse(defaultBaseUrl, flags, nullptr));
  const auto uri = adopt(g_uri_parse_relative(base.get(), baseUrl.c_str(), flags, nullptr));
  if (!uri || !g_uri_get_host(uri.get()))
    return baseUrl;
  const GCharPtr text(g_uri_join(flags, g_uri_get_scheme(uri.get()), nullptr, nameOf(g_uri_get_host(uri.get())).c_str(),
                                 g_uri_get_port(uri.get()), g_uri_get_path(uri.get()), nullptr, nullptr));
  return withoutFinalSlashes(text.get());
}

} // namespace

std::string normalizedBaseUrl(const std::string &baseUrl) {
  return rewritten(baseUrl, normalizedHost);
}

std::string serviceAt(const std::string &baseUrl) {
  return rewritten(baseUrl, [](const char *host) {
    const std::string name = normalizedHost(host);
    return name == "localhost" || name == "::1" ? "127.0.0.1" : name;
  });
}

bool isLoopbackHost(std::string_view host) {
  const std::string name(host);
  if (g_ascii_strcasecmp(name.c_str(), "localhost") == 0)
    return true;
  const auto address = adopt(g_inet_address_new_from_string(name.c_str()));
  return address && g_inet_address_get_is_loopback(address.get());
}

} // namespace aimlvideo
