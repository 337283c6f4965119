// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/logs.h"

#include "base/json/node.h"

namespace aimlvideo {

namespace {

LogEntry entryFrom(JsonObject *object) {
  const auto text = [object](const char *name) {
    return json::scalarText(json::member(object, name)).value_or("");
  };
  LogEntry entry;
  entry.clientRequestId = text("client_request_id");
  entry.generationId = text("inference_id");
  entry.failed = text("status") == "failed";
  JsonObject *cost = json::objectIn(json::member(object, "cost"));
  entry.usage.usd = json::money(json::member(cost, "usd"));
  entry.usage.credits = json::money(json::member(cost, "credits"));
  return entry;
}

} // namespace

std::string logsPath(const char *period, unsigned offset) {
  return std::string("/v2/logs?period=") + period + "&limit=" + std::to_string(logPageSize) +
         "&offset=" + std::to_string(offset);
}

tl::expected<std::vector<LogEntry>, std::string> parseLogs(std::string_view body) {
  const auto node = json::parse(body);
  if (!node)
    return tl::unexpected(node.error());
  JsonNode *data = json::member(json::objectIn(node->get()), "data");
  if (!data || !JSON_NODE_HOLDS_ARRAY(data))
    return tl::unexpected(std::string("the answer has no list of requests"));
  std::vector<LogEntry> entries;
  JsonArray *rows = json_node_get_array(data);
  for (guint i = 0; i < json_array_get_length(rows); ++i)
    if (JsonObject *row = json::objectIn(json_array_get_element(rows, i)))
      entries.push_back(entryFrom(row));
  return entries;
}

} // namespace aimlvideo
