// SPDX-License-Identifier: LGPL-2.1-or-later
#include "clip/clip_host.h"

#include <algorithm>
#include <map>

#include <sys/resource.h>

#include "api/endpoint.h"

namespace aimlvideo {

namespace {

constexpr unsigned maximumRedirects = 5;

bool isRedirect(unsigned status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Headers headersFor(const ClipHost::Wanted &wanted) {
  // without compression: lengths and places are those of the file
  Headers headers{{"Accept", "*/*"}, {"Accept-Encoding", "identity"}};
  if (wanted.asPart) {
    const std::string last = wanted.end == UINT64_MAX ? "" : std::to_string(wanted.end - 1);
    headers.emplace_back("Range", "bytes=" + std::to_string(wanted.first) + "-" + last);
    if (!wanted.validator.empty())
      headers.emplace_back("If-Range", wanted.validator);
  }
  return headers;
}

/// So many downloads from one host at a time. A session has twice as many connections, see HttpSession, so that each
/// download can have its second one, a jump, at once.
size_t downloadsAtOnce() {
  rlimit limits{};
  const rlim_t descriptors = getrlimit(RLIMIT_NOFILE, &limits) == 0 ? limits.rlim_cur : 1024;
  return static_cast<size_t>(std::clamp<rlim_t>(descriptors / 32, 2, 32));
}

/// Scheme, host and port of an address; all of it if it is none.
std::string originOf(const std::string &url) {
  const auto uri = adopt(g_uri_parse(url.c_str(), httpUriFlags, nullptr));
  if (!uri || !g_uri_get_host(uri.get()))
    return url;
  return std::string(g_uri_get_scheme(uri.get())) + "://" + g_uri_get_host(uri.get()) + ":" +
         std::to_string(g_uri_get_port(uri.get()));
}

/// One gate for each host that somebody fetches from. For the network thread.
class ClipGates {
public:
  std::shared_ptr<Gate> get(const std::string &origin) {
    std::erase_if(gates_, [](const auto &entry) { return entry.second.expired(); });
    std::weak_ptr<Gate> &known = gates_[origin];
    auto gate = known.lock();
    if (!gate)
      known = gate = std::make_shared<Gate>(downloadsAtOnce());
    return gate;
  }

private:
  std::map<std::string, std::weak_ptr<Gate>> gates_;
};

ClipRefusal refusalFrom(const TransportError &error) {
  ClipRefusal refusal;
  refusal.cause = error.message;
  if (error.cause == TransportError::Cause::Cancelled)
    refusal.kind = ClipRefusal::Kind::Stopped;
  else if (error.cause == TransportError::Cause::BadUrl || error.cause == TransportError::Cause::NotPublic)
    // a link that can't be followed may be replaced by a good one
    refusal.kind = ClipRefusal::Kind::LinkRefused;
  return refusal;
}

} // namespace

Task<bool> ClipHost::enter(const std::string &url, Clock::time_point deadline) {
  std::string origin = originOf(url);
  if (place_ && place_->origin == origin)
    co_return true;
  leave(); // who waits for one host must not keep others from another
  auto gate = Loop::instance().own<ClipGates>().get(origin);
  auto pass = co_await gate->enter(cancellation_, deadline);
  if (!pass)
    co_return false;
  place_.emplace(std::move(origin), std::move(gate), std::move(*pass));
  co_return true;
}

std::optional<std::string> ClipHost::refuseUrl(const std::string &url) const {
  GErrorSlot error;
  const auto uri = adopt(g_uri_parse(url.c_str(), httpUriFlags, &error));
  if (!uri)
    return error.message();
  const std::string scheme = g_uri_get_scheme(uri.get());
  const char *host = g_uri_get_host(uri.get());
  const bool plain = host && reach_ == ClipReach::ThisMachine && isLoopbackHost(host);
  if (scheme != "https" && !(scheme == "http" && plain))
    return "its scheme is " + scheme + ", only https is followed";
  if (!host || !*host)
    return "it names no host";
  return {};
}

Task<Exchanged<std::unique_ptr<HttpSession::Stream>>> ClipHost::follow(const std::string &start, const Headers &headers,
                                                                       Clock::time_point deadline) {
  std::string url = start;
  for (unsigned hops = 0; hops <= maximumRedirects; ++hops) {
    if (const auto why = refuseUrl(url))
      co_return tl::unexpected(TransportError{TransportError::Cause::BadUrl, false, *why});
    HttpRequest request;
    request.url = url;
    request.headers = headers;
    request.publicOnly = reach_ == ClipReach::Public;
    auto stream = co_await session_.open(request, cancellation_, deadline);
    if (!stream || !isRedirect((*stream)->head().status))
      co_return stream;
    const std::string location = (*stream)->head().header("Location").value_or("");
    const auto target = redirectTarget(url, location);
    if (!target)
      co_return tl::unexpected(TransportError{TransportError::Cause::BadUrl, true, "a redirect leads nowhere"});
    url = *target;
  }
  co_return tl::unexpected(TransportError{TransportError::Cause::BadUrl, true, "there are too many redirects"});
}

Task<tl::expected<ClipPart, ClipRefusal>> ClipHost::open(const std::string &url, const Wanted &wanted,
                                                         Clock::time_point deadline) {
  const Headers headers = headersFor(wanted);
  auto stream = co_await follow(url, headers, deadline);
  if (!stream)
    co_return tl::unexpected(refusalFrom(stream.error()));
  auto head = readClipHead((*stream)->head(), wanted);
  if (!head)
    co_return tl::unexpected(std::move(head.error()));
  co_return ClipPart{std::move(*head), std::move(*stream)};
}

} // namespace aimlvideo
