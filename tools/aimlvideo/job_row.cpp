// SPDX-License-Identifier: LGPL-2.1-or-later
#include "job_row.h"

#include <algorithm>
#include <chrono>

#include <glib.h>

#include "envelope.h"

namespace aimlvideo::cli {

json::Value jsonOf(const LedgerRow &row) {
  json::Value object = json::Value::object({{"id", row.id}});
  const auto set = [&object](const char *name, const std::string &text) {
    if (!text.empty())
      object.set(name, text);
  };
  set("state", nameOf(row.state));
  set("model", row.model);
  set("prompt", row.prompt);
  set("output", row.output);
  set("duration", row.duration);
  set("resolution", row.resolution);
  set("generation_id", row.generationId);
  set("client_request_id", row.clientRequestId);
  set("request_id", row.requestId);
  set("base_url", row.baseUrl);
  set("endpoint", row.family == EndpointFamily::Legacy ? "legacy" : "universal");
  object.set("created", row.created / 1000);
  if (row.submitted != 0)
    object.set("accepted", row.submitted / 1000);
  object.set("changed", row.changed / 1000);
  const Usage usage = billed(row);
  if (usage.usd)
    object.set("usd_spent", rounded(*usage.usd));
  if (usage.credits)
    object.set("credits_used", rounded(*usage.credits));
  set("clip", row.clip);
  if (row.clipSize > 0)
    object.set("clip_size", row.clipSize);
  set("clip_sha256", row.clipChecksum);
  set("cause", row.cause);
  return object;
}

Result<LedgerRow> jobNamed(const std::string &text) {
  gint64 id = 0;
  const bool isNumber = g_ascii_string_to_signed(text.c_str(), 10, 1, G_MAXINT64, &id, nullptr);
  auto row = isNumber ? ledgerRow(id) : Result<std::optional<LedgerRow>>(std::nullopt);
  if (!row)
    return std::move(row).failure();
  if (!*row && !text.empty()) {
    auto rows = ledgerRows();
    if (!rows)
      return std::move(rows).failure();
    const auto found = std::ranges::find(*rows, text, &LedgerRow::generationId);
    if (found != rows->end())
      return std::move(*found);
  }
  if (!*row)
    return failure(ErrorKind::NotFound, "the ledger has no job \"" + text + "\"", "",
                   "'aimlvideo jobs list' lists those that it has");
  return std::move(**row);
}

std::optional<Error> staysUnknown(const LedgerRow &row, unsigned patience) {
  const int64_t age = g_get_real_time() / 1000 - row.changed;
  if (row.state != LedgerRow::State::Sent || age < 1000 * static_cast<int64_t>(patience))
    return {};
  const std::string resolve = "aimlvideo jobs resolve " + std::to_string(row.id);
  Error error = failure(ErrorKind::UnknownOutcome,
                        "it is not known whether the service accepted the submission of job " + std::to_string(row.id),
                        "the account's log does not list it",
                        "Look for its client request id in the account's logs, and settle it with '" + resolve +
                            " --bought GENERATION-ID' or '" + resolve + " --not-bought'")
                    .value();
  error.clientRequestId = row.clientRequestId;
  return error;
}

int secondsToComeBackIn(const Status &status) {
  constexpr int unknown = 30;
  constexpr int most = 3600;
  const auto left = status.remaining();
  if (!left)
    return unknown;
  return static_cast<int>(std::clamp<int64_t>(std::chrono::ceil<std::chrono::seconds>(*left).count(), 1, most));
}

} // namespace aimlvideo::cli
