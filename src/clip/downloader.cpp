// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/downloader.h"

#include <algorithm>
#include <array>
#include <vector>

#include "api/endpoint.h"
#include "api/reply.h"

namespace aimlvideo {

namespace {

constexpr unsigned maximumRedirects = 5;
constexpr size_t blockSize = 256 * 1024;

bool isRedirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// A page instead of a clip, as hosts send it with status 200. Every ISO media file has a box type at byte 4, and
/// text has no control characters.
bool looksLikeText(std::string_view start) {
  const std::string_view head = start.substr(0, 256);
  return !head.empty() && std::none_of(head.begin(), head.end(), [](unsigned char c) {
    return c == 0x7f || (c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f');
  });
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
  ContentRange range;
  range.first = static_cast<uint64_t>(first);
  if (total >= 0)
    range.total = static_cast<uint64_t>(total);
  return range;
}

std::string strongValidator(const HttpResponse &head) {
  const std::string tag = head.header("ETag").value_or("");
  return tag.starts_with("\"") ? tag : "";
}

} // namespace

Downloader::Downloader(HttpSession &session, Cancellation &cancellation, Limits limits, Callbacks callbacks)
    : session_(session), cancellation_(cancellation), limits_(std::move(limits)), callbacks_(std::move(callbacks)) {}

Result<void> Downloader::fetch(std::string url, Spool &spool) {
  for (unsigned attempts = 1;; ++attempts) {
    const auto outcome = attempt(url, spool);
    if (!outcome)
      return tl::unexpected(outcome.error());
    if (*outcome == Outcome::Complete)
      return {};
    const auto next = Clock::now() + limits_.retries.pauseBefore(attempts + 1, std::nullopt, random_);
    if (next >= limits_.deadline) {
      auto error = failure(ErrorKind::TimedOut, "the clip could not be fetched before the deadline", cause_,
                           "It is paid for and stays at the service");
      error.value().httpStatus = httpStatus_;
      return error;
    }
    callbacks_.retrying(cause_);
    if (!cancellation_.sleepUntil(next))
      return failure(ErrorKind::Cancelled, "the download was stopped");
    if (*outcome == Outcome::Refused) {
      auto fresh = callbacks_.freshUrl();
      if (!fresh)
        return tl::unexpected(std::move(fresh.error()));
      url = std::move(*fresh);
    }
  }
}

std::optional<std::string> Downloader::refuseUrl(const std::string &url) const {
  GErrorSlot error;
  const auto uri = adopt(g_uri_parse(url.c_str(), httpUriFlags, &error));
  if (!uri)
    return error.message();
  const std::string scheme = g_uri_get_scheme(uri.get());
  const char *host = g_uri_get_host(uri.get());
  if (!host || !*host)
    return "it names no host";
  if (scheme == "https" || (scheme == "http" && limits_.loopbackHttp && isLoopbackHost(host)))
    return {};
  return "its scheme is " + scheme + ", only https is followed";
}

Exchanged<std::unique_ptr<HttpSession::Stream>> Downloader::openFollowingRedirects(const std::string &start,
                                                                                   const Headers &headers) {
  std::string url = start;
  for (unsigned hops = 0; hops <= maximumRedirects; ++hops) {
    if (const auto why = refuseUrl(url))
      return tl::unexpected(TransportError{TransportError::Cause::BadUrl, false, *why});
    HttpRequest request;
    request.url = url;
    request.headers = headers;
    auto stream = session_.open(request, cancellation_, limits_.deadline);
    if (!stream || !isRedirect((*stream)->head().status))
      return stream;
    const std::string location = (*stream)->head().header("Location").value_or("");
    GErrorSlot error;
    const GCharPtr target(g_uri_resolve_relative(url.c_str(), location.c_str(), httpUriFlags, &error));
    if (location.empty() || !target)
      return tl::unexpected(TransportError{TransportError::Cause::BadUrl, true, "a redirect leads nowhere"});
    url = target.get();
  }
  return tl::unexpected(TransportError{TransportError::Cause::BadUrl, true, "there are too many redirects"});
}

Result<Downloader::Outcome> Downloader::broken(const TransportError &error) {
  if (error.cause == TransportError::Cause::Cancelled)
    return failure(ErrorKind::Cancelled, "the download was stopped");
  cause_ = error.message;
  httpStatus_ = 0;
  // a link that can't be followed may be replaced by a good one
  return error.cause == TransportError::Cause::BadUrl ? Outcome::Refused : Outcome::Broken;
}

Result<Downloader::Outcome> Downloader::attempt(const std::string &url, Spool &spool) {
  if (validator_.empty() && spool.size() > 0) {
    if (const auto cleared = spool.clear(); !cleared)
      return tl::unexpected(cleared.error());
  }
  Headers headers{
      {"Accept", "*/*"}, {"Accept-Encoding", "identity"}, {"Range", "bytes=" + std::to_string(spool.size()) + "-"}};
  if (spool.size() > 0)
    headers.emplace_back("If-Range", validator_);
  auto stream = openFollowingRedirects(url, headers);
  if (!stream)
    return broken(stream.error());
  const HttpResponse &head = (*stream)->head();
  httpStatus_ = head.status;

  const auto restart = [&]() -> Result<void> {
    validator_.clear();
    total_.reset();
    return spool.clear();
  };
  const auto later = [&](std::string cause, Outcome outcome) -> Result<Outcome> {
    cause_ = std::move(cause);
    if (const auto cleared = restart(); !cleared)
      return tl::unexpected(cleared.error());
    return outcome;
  };
  if (head.status == 206) {
    const auto range = contentRange(head);
    const bool sameFile = spool.size() == 0 || strongValidator(head) == validator_;
    if (!range || range->first != spool.size() || !sameFile || (total_ && range->total && *total_ != *range->total))
      return later("the host sent another part of the clip than it was asked for", Outcome::Broken);
    if (range->total)
      total_ = range->total;
  } else if (head.status == 200) {
    if (const auto cleared = restart(); !cleared)
      return tl::unexpected(cleared.error());
    total_ = contentLength(head);
  } else if (head.status == 401 || head.status == 403 || head.status == 404 || head.status == 410) {
    return later("the clip's host answered " + std::to_string(head.status), Outcome::Refused);
  } else if (head.status == 416) {
    return later("the host has no such part of the clip", Outcome::Broken);
  } else {
    cause_ = "the clip's host answered " + std::to_string(head.status);
    return Outcome::Broken;
  }
  validator_ = strongValidator(head);
  if (total_ && *total_ > limits_.maximumSize)
    return tl::unexpected(tooLarge(*total_));
  return receive(**stream, spool);
}

Error Downloader::tooLarge(uint64_t size) const {
  return failure(ErrorKind::TooLarge, "the clip is too large",
                 "it has " + std::to_string(size) + " bytes or more, max-clip-size allows " +
                     std::to_string(limits_.maximumSize),
                 "It is paid for and stays at the service: raise max-clip-size")
      .value();
}

Result<Downloader::Outcome> Downloader::receive(HttpSession::Stream &stream, Spool &spool) {
  std::vector<char> buffer(blockSize);
  for (;;) {
    const auto count = stream.read(buffer.data(), buffer.size());
    if (!count)
      return broken(count.error());
    if (*count == 0)
      break;
    if (spool.size() == 0 && looksLikeText({buffer.data(), *count})) {
      cause_ = "the clip's host sent a text instead of a video: " + serviceMessage({buffer.data(), *count});
      if (++notVideo_ > 1)
        return failure(ErrorKind::BadAnswer, "the clip can't be used", cause_,
                       "It is paid for and stays at the service: try again later");
      return Outcome::Refused;
    }
    if (spool.size() + *count > limits_.maximumSize)
      return tl::unexpected(tooLarge(spool.size() + *count));
    if (const auto written = spool.append(buffer.data(), *count); !written)
      return tl::unexpected(written.error());
    callbacks_.progressed(spool.size(), total_);
  }
  if (spool.size() == 0 || (total_ && spool.size() != *total_)) {
    cause_ = "the transfer ended after " + std::to_string(spool.size()) + " bytes" +
             (total_ ? " of " + std::to_string(*total_) : "");
    if (total_ && spool.size() > *total_)
      validator_.clear();
    return Outcome::Broken;
  }
  return Outcome::Complete;
}

} // namespace aimlvideo
