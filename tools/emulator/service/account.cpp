// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/account.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "emulator/service/window.h"

namespace aimlvideo::emulator {

namespace {

constexpr size_t mostCharges = 20'000;
constexpr std::string_view cursorStart = "emulator-";

double tidy(double usd) {
  return std::round(usd * 1e6) / 1e6;
}

Json amountJson(double usd) {
  return Json::object({{"usd", tidy(usd)}, {"credits", Cost{usd}.credits()}});
}

std::optional<size_t> readNumber(std::string_view text) {
  size_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

template <size_t N>
bool isOneOf(const std::optional<std::string> &value, const std::array<const char *, N> &choices) {
  return !value || std::ranges::find(choices, *value) != choices.end();
}

} // namespace

Account::Account(double start) : start_(start), opened_(g_get_real_time()) {}

bool Account::hold(const Cost &cost) {
  if (tidy(balance() - held_ - cost.usd) < 0)
    return false;
  held_ += cost.usd;
  return true;
}

void Account::settle(const Task &task) {
  held_ = std::max(0.0, held_ - task.cost.usd);
  if (!task.failure.empty())
    return;
  charged_ += task.cost.usd;
  charges_.push_back({g_get_real_time(), task.knownModel->id, task.id, task.keyStart, task.cost.usd});
  if (charges_.size() > mostCharges) {
    charges_.pop_front();
    ++forgotten_;
  }
}

void Account::reset() {
  charged_ = held_ = 0;
  forgotten_ = 0;
  charges_.clear();
  opened_ = g_get_real_time();
}

tl::expected<Account::Query, std::string> Account::readQuery(const Request &request) const {
  constexpr std::array directions = {"TOPUP", "CHARGE"};
  constexpr std::array types = {"PAYMENT", "BONUS", "REFUND", "ADJUSTMENT", "MODEL_USAGE", "CREDITS_EXPIRED", "INIT"};
  Query query;
  query.direction = request.parameter("direction");
  query.type = request.parameter("type");
  if (!isOneOf(query.direction, directions) || !isOneOf(query.type, types))
    return tl::unexpected<std::string>("Invalid enum value");
  const auto limit = readNumber(request.parameter("limit").value_or("50"));
  if (!limit || *limit < 1 || *limit > 100)
    return tl::unexpected<std::string>("limit: Number must be between 1 and 100");
  query.limit = *limit;
  query.end = forgotten_ + charges_.size() + 1;
  if (const auto cursor = request.parameter("cursor")) {
    const auto last = cursor->starts_with(cursorStart)
                          ? readNumber(std::string_view(*cursor).substr(cursorStart.size()))
                          : std::nullopt;
    if (!last || *last > query.end)
      return tl::unexpected<std::string>("cursor: Invalid cursor");
    query.end = *last;
  }
  for (const auto &[name, target] : {std::pair("from", &query.from), {"to", &query.to}})
    if (const auto text = request.parameter(name)) {
      const auto time = readIsoTime(*text);
      if (!time)
        return tl::unexpected(std::string(name) + ": Invalid datetime");
      *target = *time;
    }
  return query;
}

bool Account::matches(size_t entry, const Query &query) const {
  if (entry != 0 && entry <= forgotten_)
    return false;
  const Charge *charge = chargeOf(entry);
  const gint64 time = charge ? charge->time : opened_;
  return time >= query.from && time < query.to &&
         (!query.direction || *query.direction == (charge ? "CHARGE" : "TOPUP")) &&
         (!query.type || *query.type == (charge ? "MODEL_USAGE" : "INIT"));
}

Json Account::entryJson(size_t entry) const {
  const Charge *charge = chargeOf(entry);
  return Json::object({{"created_at", isoTime(charge ? charge->time : opened_)},
                       {"direction", charge ? "CHARGE" : "TOPUP"},
                       {"type", charge ? "MODEL_USAGE" : "INIT"},
                       {"amount", amountJson(charge ? charge->usd : start_)},
                       {"model", charge ? Json(charge->model) : Json(nullptr)},
                       {"reference_id", charge ? Json(charge->inferenceId) : Json(nullptr)}});
}

Response Account::transactions(const Request &request) const {
  const auto query = readQuery(request);
  if (!query)
    return errorResponse(request, 400, query.error());
  Json data = Json::array();
  size_t shown = 0, last = query->end;
  bool hasMore = false;
  for (size_t next = query->end; next-- > 0;) {
    if (!matches(next, *query))
      continue;
    hasMore = shown == query->limit;
    if (hasMore)
      break;
    ++shown;
    last = next;
    data.add(entryJson(next));
  }
  const Json cursor = hasMore ? Json(std::string(cursorStart) + std::to_string(last)) : Json(nullptr);
  return Response::json(
      200,
      Json::object({{"data", data}, {"pagination", Json::object({{"next_cursor", cursor}, {"has_more", hasMore}})}}));
}

Response Account::usage(const Request &request) const {
  const auto window = readWindow(request, Periods::Any);
  if (!window)
    return errorResponse(request, 400, window.error());
  const auto prefix = request.parameter("key_prefix");
  const std::string key = prefix.value_or(request.key()).substr(0, keyStartLength);
  double spend = 0;
  size_t requests = 0;
  for (const Charge &charge : charges_)
    if (charge.time >= window->start && charge.time <= window->end && charge.keyStart.starts_with(key)) {
      spend += charge.usd;
      ++requests;
    }
  return Response::json(200, Json::object({{"api_key_prefix", prefix ? Json(*prefix) : Json(nullptr)},
                                           {"start", isoTime(window->start)},
                                           {"end", isoTime(window->end)},
                                           {"spend", tidy(spend)},
                                           {"currency", "USD"},
                                           {"requests", requests}}));
}

} // namespace aimlvideo::emulator
