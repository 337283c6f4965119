// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/wire/media.h"

#include <algorithm>
#include <cctype>

#include "base/sha256.h"

namespace aimlvideo::emulator {

namespace {

constexpr std::string_view dataScheme = "data:";

bool isBase64(std::string_view text) {
  if (text.empty() || text.size() % 4 == 1)
    return false;
  const size_t end = text.find_last_not_of('=');
  if (end == std::string_view::npos || text.size() - end - 1 > 2)
    return false;
  return std::ranges::all_of(text.substr(0, end + 1), [](unsigned char c) {
    return std::isalnum(c) || c == '+' || c == '/' || c == '-' || c == '_';
  });
}

/// g_base64_decode() knows the classic alphabet with padding; the service is taken to read either.
Bytes decodeBase64(std::string_view text) {
  std::string classic(text);
  std::ranges::replace(classic, '-', '+');
  std::ranges::replace(classic, '_', '/');
  while (classic.size() % 4)
    classic += '=';
  gsize length = 0;
  guchar *data = g_base64_decode(classic.c_str(), &length);
  return Bytes(adopt(g_bytes_new_take(data, length)));
}

std::optional<MediaReference> readDataUri(std::string_view text) {
  const size_t comma = text.find(',');
  if (comma == std::string_view::npos)
    return std::nullopt;
  const std::string_view head = text.substr(dataScheme.size(), comma - dataScheme.size());
  const std::string_view payload = text.substr(comma + 1);
  MediaReference media;
  media.mediaType = head.substr(0, head.find(';'));
  if (head.ends_with(";base64")) {
    const GCharPtr unescaped(payload.find('%') != std::string_view::npos
                                 ? g_uri_unescape_segment(payload.data(), payload.data() + payload.size(), nullptr)
                                 : nullptr);
    const std::string_view encoded = unescaped ? std::string_view(unescaped.get()) : payload;
    if (!isBase64(encoded))
      return std::nullopt;
    media.bytes = decodeBase64(encoded);
  } else {
    auto plain = adopt(g_uri_unescape_bytes(payload.data(), static_cast<gssize>(payload.size()), nullptr, nullptr));
    if (!plain)
      return std::nullopt;
    media.bytes = Bytes(std::move(plain));
  }
  if (media.bytes.size() == 0)
    return std::nullopt;
  media.sha256 = sha256(media.bytes.view());
  return media;
}

std::optional<MediaReference> readUrl(const std::string &text) {
  const auto uri = adopt(g_uri_parse(text.c_str(), G_URI_FLAGS_ENCODED, nullptr));
  if (!uri || !g_uri_get_host(uri.get()) || !*g_uri_get_host(uri.get()))
    return std::nullopt;
  const std::string_view scheme = g_uri_get_scheme(uri.get());
  if (scheme != "http" && scheme != "https")
    return std::nullopt;
  MediaReference media;
  media.url = text;
  media.sha256 = sha256(text);
  return media;
}

} // namespace

std::optional<MediaReference> readMediaReference(std::string_view parameter, const std::string &text) {
  const bool isData = g_ascii_strncasecmp(text.c_str(), dataScheme.data(), dataScheme.size()) == 0;
  auto media = isData ? readDataUri(text) : readUrl(text);
  if (media)
    media->parameter = parameter;
  return media;
}

std::string imageTypeOf(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv))
    return "image/png";
  if (bytes.starts_with("\xff\xd8\xff"sv))
    return "image/jpeg";
  if (bytes.starts_with("RIFF"sv) && bytes.substr(8).starts_with("WEBP"sv))
    return "image/webp";
  return {};
}

bool isLoopbackHost(const std::string &host) {
  if (host == "localhost")
    return true;
  const auto address = adopt(g_inet_address_new_from_string(host.c_str()));
  return address && g_inet_address_get_is_loopback(address.get());
}

bool isOnLoopback(const std::string &url) {
  const auto uri = adopt(g_uri_parse(url.c_str(), G_URI_FLAGS_ENCODED, nullptr));
  return uri && g_uri_get_host(uri.get()) && isLoopbackHost(g_uri_get_host(uri.get()));
}

} // namespace aimlvideo::emulator
