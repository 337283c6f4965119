// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/deprecations.h"

#include <algorithm>

#include "api/overlay.h"
#include "base/json/node.h"

namespace aimlvideo {

namespace {

std::string textIn(JsonObject *object, const char *name) {
  return json::scalarText(json::member(object, name)).value_or("");
}

bool isCalled(JsonObject *entry, const std::string &model) {
  if (textIn(entry, "id") == model)
    return true;
  JsonNode *aliases = json::member(entry, "aliases");
  if (!aliases || !JSON_NODE_HOLDS_ARRAY(aliases))
    return false;
  JsonArray *array = json_node_get_array(aliases);
  for (guint i = 0; i < json_array_get_length(array); ++i)
    if (json::scalarText(json_array_get_element(array, i)) == model)
      return true;
  return false;
}

std::optional<Deprecation::Status> statusFrom(const std::string &word) {
  static constexpr std::pair<std::string_view, Deprecation::Status> words[] = {
      {"deprecated", Deprecation::Status::Deprecated},
      {"superseded", Deprecation::Status::Superseded},
      {"withdrawn", Deprecation::Status::Withdrawn}};
  const auto found =
      std::ranges::find(words, std::string_view(word), &std::pair<std::string_view, Deprecation::Status>::first);
  return found == std::end(words) ? std::nullopt : std::optional(found->second);
}

bool isDay(const std::string &text) {
  return text.size() == 10 && text.find_first_not_of("0123456789-") == std::string::npos;
}

} // namespace

std::string Deprecation::sentence(const std::string &model) const {
  const std::string instead = replacedBy.empty() ? "" : "; use " + replacedBy + " instead";
  switch (status) {
  case Status::Superseded:
    return "the service has merged the model " + model + " into another one and redirects to it" + instead;
  case Status::Withdrawn:
    return "the service has withdrawn the model " + model + (shutdown.empty() ? "" : " on " + shutdown) + instead;
  case Status::Deprecated:
    break;
  }
  return "the service will withdraw the model " + model + (shutdown.empty() ? "" : " on " + shutdown) + instead;
}

std::optional<Deprecation> deprecationIn(std::string_view list, const std::string &model) {
  const auto root = json::parse(list);
  JsonNode *data = root ? json::member(json::objectIn(root->get()), "data") : nullptr;
  if (!data || !JSON_NODE_HOLDS_ARRAY(data))
    return {};
  JsonArray *entries = json_node_get_array(data);
  for (guint i = 0; i < json_array_get_length(entries); ++i) {
    JsonObject *entry = json::objectIn(json_array_get_element(entries, i));
    const auto status = entry && isCalled(entry, model) ? statusFrom(textIn(entry, "status")) : std::nullopt;
    if (!status)
      continue;
    Deprecation deprecation;
    deprecation.status = *status;
    if (const std::string day = textIn(entry, "shutdown_at"); isDay(day))
      deprecation.shutdown = day;
    if (const std::string other = textIn(entry, "replaced_by"); isModelName(other))
      deprecation.replacedBy = other;
    return deprecation;
  }
  return {};
}

} // namespace aimlvideo
