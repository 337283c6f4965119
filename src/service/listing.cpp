// SPDX-License-Identifier: LGPL-2.1-or-later
#include "service/listing.h"

#include <algorithm>

#include <glib/gstdio.h>
#include <utime.h>

#include "api/deprecations.h"
#include "base/folders.h"
#include "base/json/value.h"
#include "base/sha256.h"

namespace aimlvideo {

namespace {

/// Far above all models with their prices.
constexpr size_t largestAnswer = 16 << 20;
constexpr std::chrono::seconds patience{15}; // for one attempt
constexpr unsigned attempts = 2;

/// What the service said last.
struct Remembered {
  std::string etag;
  std::string body;
};

/// The file is named by what was asked for, so that the list of one service is never taken for another's.
std::string fileFor(const std::string &url, const std::string &folder) {
  return cacheFolder() + "/" + folder + "/" + sha256(url).substr(0, 32) + ".json";
}

Remembered recall(const std::string &url, const std::string &folder) {
  char *contents = nullptr;
  gsize size = 0;
  if (!g_file_get_contents(fileFor(url, folder).c_str(), &contents, &size, nullptr))
    return {};
  const GCharPtr owned(contents);
  const auto stored = json::Value::parse({contents, size}).value_or(json::Value());
  return stored["url"].string() == url ? Remembered{stored["etag"].string(), stored["body"].string()} : Remembered{};
}

/// Losing this costs a few kilobytes the next time, so nothing is said of it.
void remember(const std::string &url, const std::string &folder, const Remembered &answer) {
  if (answer.etag.empty() || !makePrivateFolder(cacheFolder()) || !makePrivateFolder(cacheFolder() + "/" + folder))
    return;
  const std::string text = json::Value::object({{"url", url}, {"etag", answer.etag}, {"body", answer.body}}).dump();
  g_file_set_contents(fileFor(url, folder).c_str(), text.data(), static_cast<gssize>(text.size()), nullptr);
}

} // namespace

std::optional<std::string> recalledListing(const std::string &url, const char *folder, int64_t seconds) {
  GStatBuf facts{};
  if (g_stat(fileFor(url, folder).c_str(), &facts) != 0 ||
      g_get_real_time() / G_USEC_PER_SEC - facts.st_mtime >= seconds)
    return {};
  Remembered known = recall(url, folder);
  return known.body.empty() ? std::nullopt : std::optional(std::move(known.body));
}

Task<tl::expected<std::string, std::string>> fetchListing(HttpSession &session, const std::string &url,
                                                          const char *folder, Cancellation &cancellation,
                                                          Clock::time_point deadline) {
  const Remembered known = co_await onPool([&] { return recall(url, folder); });
  HttpRequest request;
  request.url = url;
  request.headers = {{"Accept", "application/json"}};
  if (!known.etag.empty())
    request.headers.emplace_back("If-None-Match", known.etag);
  std::string why;
  for (unsigned attempt = 0; attempt < attempts && !cancellation.cancelled(); ++attempt) {
    const auto response =
        co_await session.exchange(request, cancellation, AttemptTime{deadline, patience}, largestAnswer);
    if (response && response->status == 304 && !known.etag.empty()) {
      g_utime(fileFor(url, folder).c_str(), nullptr); // which says since when it is known to be right
      co_return known.body;
    }
    if (response && response->successful()) {
      co_await onPool([&] { remember(url, folder, {response->header("ETag").value_or(""), response->body}); });
      co_return response->body;
    }
    why = response ? "HTTP status " + std::to_string(response->status) : response.error().message;
    if (response && response->status < 500)
      break;
  }
  co_return tl::unexpected(why);
}

Task<tl::expected<std::string, std::string>> fetchDeprecations(HttpSession &session, const std::string &baseUrl,
                                                               Cancellation &cancellation, Clock::time_point deadline) {
  const std::string url = baseUrl + deprecationsPath;
  co_return co_await fetchListing(session, url, "lists", cancellation, deadline);
}

} // namespace aimlvideo
