// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/clip_head.h"

#include <algorithm>
#include <memory>
#include <string_view>

#include "http/retry.h"

namespace aimlvideo {

namespace {

bool refusesLink(unsigned status) {
  return status == 401 || status == 403 || status == 404 || status == 410;
}

std::optional<uint64_t> contentLength(const HttpResponse &head) {
  const auto value = head.header("Content-Length");
  guint64 length = 0;
  if (!value || !g_ascii_string_to_unsigned(value->c_str(), 10, 0, G_MAXINT64, &length, nullptr))
    return {};
  return length;
}

struct ContentRange {
  uint64_t first = 0;
  uint64_t end = 0;
  std::optional<uint64_t> total;
};

/// `bytes FIRST-LAST/TOTAL`, where TOTAL may be `*`.
std::optional<ContentRange> contentRange(const HttpResponse &head) {
  const auto value = head.header("Content-Range");
  if (!value)
    return {};
  goffset first = 0;
  goffset last = 0;
  goffset total = -1;
  SoupMessageHeaders *headers = soup_message_headers_new(SOUP_MESSAGE_HEADERS_RESPONSE);
  soup_message_headers_append(headers, "Content-Range", value->c_str());
  const bool readable = soup_message_headers_get_content_range(headers, &first, &last, &total);
  soup_message_headers_unref(headers);
  if (!readable || first < 0 || last < first || (total >= 0 && last >= total))
    return {};
  ContentRange range{static_cast<uint64_t>(first), static_cast<uint64_t>(last) + 1, {}};
  if (total >= 0)
    range.total = static_cast<uint64_t>(total);
  return range;
}

std::string strongValidator(const HttpResponse &head) {
  const std::string tag = head.header("ETag").value_or("");
  return tag.starts_with("\"") ? tag : "";
}

std::string hexOf(std::string_view base64) {
  gsize size = 0;
  const std::unique_ptr<guchar, GFree> bytes(g_base64_decode(std::string(base64).c_str(), &size));
  static constexpr auto digits = "0123456789abcdef";
  std::string hex;
  for (gsize i = 0; i < size; ++i) {
    hex += digits[bytes.get()[i] >> 4];
    hex += digits[bytes.get()[i] & 15];
  }
  return hex;
}

/// The value of `key=...` in a comma-separated header; Repr-Digest puts colons around it.
std::string_view entry(std::string_view header, std::string_view key) {
  while (!header.empty()) {
    const std::string_view item = header.substr(0, header.find(','));
    header.remove_prefix(std::min(header.size(), item.size() + 1));
    const size_t start = std::min(item.find_first_not_of(' '), item.size());
    const std::string_view trimmed = item.substr(start);
    if (trimmed.size() > key.size() && trimmed[key.size()] == '=' &&
        g_ascii_strncasecmp(trimmed.data(), key.data(), key.size()) == 0) {
      std::string_view value = trimmed.substr(key.size() + 1);
      while (!value.empty() && (value.front() == ':' || value.front() == ' '))
        value.remove_prefix(1);
      while (!value.empty() && (value.back() == ':' || value.back() == ' '))
        value.remove_suffix(1);
      return value;
    }
  }
  return {};
}

/// A checksum of the whole file. Content-MD5 and Content-Digest are of what is sent, so they count for all of it only.
ClipChecksum checksumIn(const HttpResponse &head, bool wholeFile) {
  struct Source {
    const char *header;
    const char *key;
    GChecksumType type;
    size_t hexDigits;
    bool ofTheFile;
  };
  static constexpr Source sources[] = {
      {"Repr-Digest", "sha-256", G_CHECKSUM_SHA256, 64, true},
      {"Digest", "sha-256", G_CHECKSUM_SHA256, 64, true},
      {"x-amz-checksum-sha256", "", G_CHECKSUM_SHA256, 64, true},
      {"Content-Digest", "sha-256", G_CHECKSUM_SHA256, 64, false},
      {"x-goog-hash", "md5", G_CHECKSUM_MD5, 32, true},
      {"Content-MD5", "", G_CHECKSUM_MD5, 32, false},
  };
  for (const Source &source : sources) {
    if (!source.ofTheFile && !wholeFile)
      continue;
    for (const auto &[name, value] : head.headers) {
      if (g_ascii_strcasecmp(name.c_str(), source.header) != 0)
        continue;
      const std::string hex = hexOf(*source.key ? entry(value, source.key) : std::string_view(value));
      if (hex.size() == source.hexDigits) // a checksum of parts has a suffix
        return {source.type, hex};
    }
  }
  return {};
}

std::optional<std::chrono::seconds> retryAfterIn(const HttpResponse &head) {
  const auto value = head.header("Retry-After");
  return value ? parseRetryAfter(*value, std::chrono::system_clock::now()) : std::nullopt;
}

} // namespace

tl::expected<ClipHead, ClipRefusal> readClipHead(const HttpResponse &head, const ClipWanted &wanted) {
  const auto refused = [&](ClipRefusal::Kind kind, std::string cause) {
    return tl::unexpected(ClipRefusal{kind, std::move(cause), head.status, retryAfterIn(head)});
  };
  const std::string status = "the clip's host answered " + std::to_string(head.status);
  if (refusesLink(head.status))
    return refused(ClipRefusal::Kind::LinkRefused, status);
  if (head.status == 416)
    return refused(ClipRefusal::Kind::WrongPart, "the host has no such part of the clip");
  if (head.status != 200 && head.status != 206)
    return refused(ClipRefusal::Kind::Later, status);
  const std::string encoding = head.header("Content-Encoding").value_or("identity");
  if (g_ascii_strcasecmp(encoding.c_str(), "identity") != 0)
    return refused(ClipRefusal::Kind::LinkRefused, "the clip's host sent it compressed with " + encoding);

  ClipHead part;
  part.validator = strongValidator(head);
  if (head.status == 206) {
    const auto range = contentRange(head);
    if (!range || range->first != wanted.first)
      return refused(ClipRefusal::Kind::WrongPart, "the host did not send the part of the clip that was requested");
    part.first = range->first;
    // `bytes 0-99/*` for all there is: where it ends is known by the end of the body
    part.end = range->total || wanted.end != UINT64_MAX ? range->end : UINT64_MAX;
    part.total = range->total;
    part.isPart = part.mayDoParts = true;
  } else {
    part.total = contentLength(head);
    part.end = part.total.value_or(UINT64_MAX);
    const auto ranges = head.header("Accept-Ranges");
    part.mayDoParts = ranges && g_ascii_strcasecmp(ranges->c_str(), "bytes") == 0;
  }
  if (part.total == 0)
    return refused(ClipRefusal::Kind::Later, "the clip's host sent an empty file");
  part.checksum = checksumIn(head, part.first == 0 && part.total == part.end);
  return part;
}

} // namespace aimlvideo
