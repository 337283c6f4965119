// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/logs.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace aimlvideo::emulator {

namespace {

constexpr size_t mostRows = 5000;
constexpr size_t requestsPerMinute = 200;
constexpr gint64 day = gint64(24) * 3600 * G_USEC_PER_SEC;
constexpr int othersRows = 60;

std::optional<size_t> readCount(const std::string &text) {
  size_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(count) : std::nullopt;
}

} // namespace

Logs::Logs() {
  addOthers();
}

void Logs::clear() {
  rows_.clear();
  recentRequests_.clear();
  addOthers();
}

/// A day and a half of other people's chats and clips: a client must not take the first row for its own.
void Logs::addOthers() {
  constexpr std::array models = {"openai/gpt-5-chat", "klingai/video-v2-6-pro-text-to-video",
                                 "anthropic/claude-sonnet-4", "klingai/video-v2-6-pro-image-to-video", "flux/schnell"};
  const gint64 now = g_get_real_time();
  for (int i = othersRows; i > 0; i--) {
    const auto row = std::make_shared<LogRow>();
    row->created = now - i * day / 40;
    row->model = models[size_t(i) % models.size()];
    row->inferenceId = newUuid() + ":" + row->model;
    if (i % 3 == 0)
      row->clientRequestId = "nightly-batch." + std::to_string(i);
    row->keyStart = "8c1d5e02";
    row->hasFailed = i % 11 == 0;
    row->cost.usd = row->hasFailed ? 0 : 0.0125 * (i % 7 + 1);
    row->endedAt = 0;
    rows_.push_back(row);
  }
}

std::shared_ptr<LogRow> Logs::add(const Task &task, const std::string &key) {
  auto row = std::make_shared<LogRow>();
  row->created = task.acceptedClock;
  row->model = task.knownModel->id;
  row->inferenceId = task.id;
  row->clientRequestId = task.clientRequestId;
  row->keyStart = key.substr(0, keyStartLength);
  row->cost = task.cost;
  row->acceptedAt = task.acceptedAt;
  rows_.push_back(row);
  if (rows_.size() > mostRows)
    rows_.pop_front();
  return row;
}

Response Logs::list(const Request &request, const LogDelay &delay) {
  if (isTooFrequent())
    return errorResponse(request, 429, "Too Many Requests");
  const auto query = readQuery(request);
  if (!query)
    return errorResponse(request, 400, query.error());
  const double now = monotonicSeconds();
  const auto isVisible = [&](const LogRow &row) {
    if (delay.whenCompleted)
      return row.endedAt >= 0 && now >= row.endedAt + delay.seconds;
    return now >= row.acceptedAt + delay.seconds;
  };
  Json data = Json::array();
  size_t found = 0;
  std::for_each(rows_.rbegin(), rows_.rend(), [&](const auto &row) { // newest first
    if (!isVisible(*row) || !matches(*row, *query))
      return;
    if (found >= query->offset && found - query->offset < query->limit)
      data.add(json(*row));
    ++found;
  });
  return Response::json(
      200,
      Json::object({{"data", data},
                    {"pagination",
                     Json::object({{"limit", query->limit},
                                   {"offset", query->offset},
                                   {"total", found},
                                   {"has_more", found > query->offset && found - query->offset > query->limit}})}}));
}

bool Logs::isTooFrequent() {
  const double now = monotonicSeconds();
  while (!recentRequests_.empty() && recentRequests_.front() < now - 60)
    recentRequests_.pop_front();
  if (recentRequests_.size() >= requestsPerMinute)
    return true;
  recentRequests_.push_back(now);
  return false;
}

tl::expected<Logs::Query, std::string> Logs::readQuery(const Request &request) {
  Query query;
  auto window = readWindow(request, Periods::DayOrWeek);
  if (!window)
    return tl::unexpected(window.error());
  query.window = *window;
  query.models = request.parameters("model");
  query.status = request.parameter("status").value_or("");
  if (!query.status.empty() && query.status != "succeeded" && query.status != "failed")
    return tl::unexpected("status: Invalid enum value. Expected 'succeeded' | 'failed', received '" + query.status +
                          "'");
  query.keyPrefix = request.parameter("key_prefix").value_or("");
  auto limit = readCount(request.parameter("limit").value_or("50"));
  if (!limit || *limit < 1 || *limit > 100)
    return tl::unexpected<std::string>("limit: Number must be between 1 and 100");
  auto offset = readCount(request.parameter("offset").value_or("0"));
  if (!offset)
    return tl::unexpected<std::string>("offset: Number must be greater than or equal to 0");
  query.limit = *limit;
  query.offset = *offset;
  constexpr std::array known = {"period", "start", "end", "model", "status", "limit", "offset", "key_prefix"};
  for (const std::string &name : request.parameterNames())
    if (std::ranges::find(known, name) == known.end())
      return tl::unexpected("Unrecognized key(s) in object: '" + name + "'");
  return query;
}

bool Logs::matches(const LogRow &row, const Query &query) {
  if (row.created < query.window.start || row.created > query.window.end)
    return false;
  if (!query.models.empty() && std::ranges::find(query.models, row.model) == query.models.end())
    return false;
  if (!query.status.empty() && row.hasFailed != (query.status == "failed"))
    return false;
  return row.keyStart.starts_with(query.keyPrefix.substr(0, keyStartLength));
}

Json Logs::json(const LogRow &row) {
  const double usd = row.hasFailed ? 0 : row.cost.usd;
  return Json::object({{"created", isoTime(row.created)},
                       {"status", row.hasFailed ? "failed" : "succeeded"},
                       {"origin", "api"},
                       {"model", row.model},
                       {"cost", Json::object({{"usd", usd}, {"credits", Cost{usd}.credits()}})},
                       {"tokens", Json::object({{"input", 0}, {"output", 0}, {"total", 0}})},
                       {"request_id", nullptr},
                       {"inference_id", row.inferenceId},
                       {"client_request_id", row.clientRequestId.empty() ? Json(nullptr) : Json(row.clientRequestId)}});
}

} // namespace aimlvideo::emulator
