// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/rules.h"

#include <algorithm>

#include "api/faults.h"
#include "base/json/node.h"

namespace aimlvideo {

namespace {

/// A member that is there and is not null.
JsonNode *present(JsonObject *body, const std::string &name) {
  JsonNode *node = json::member(body, name.c_str());
  return node && !JSON_NODE_HOLDS_NULL(node) ? node : nullptr;
}

bool hasOneOf(JsonNode *node, const std::vector<std::string> &values) {
  const auto text = json::scalarText(node);
  return text && std::find(values.begin(), values.end(), *text) != values.end();
}

std::string exactlyOne(const Rule &rule, JsonObject *body) {
  std::vector<std::string> given;
  for (const std::string &name : rule.parameters)
    if (present(body, name))
      given.push_back(name);
  if (given.empty())
    return joined(rule.parameters, " or ") + " is missing, one of them must be given";
  return given.size() == 1 ? "" : joined(given, " and ") + " are both given, the model takes one of them";
}

/// `parameters[0]` is a path of the form `list[].member`.
std::string atMostOnce(const Rule &rule, JsonObject *body) {
  const std::string &path = rule.parameters.front();
  const size_t bracket = path.find("[].");
  JsonNode *list = present(body, path.substr(0, bracket));
  if (bracket == std::string::npos || !list || !JSON_NODE_HOLDS_ARRAY(list))
    return "";
  unsigned count = 0;
  JsonArray *array = json_node_get_array(list);
  for (guint i = 0; i < json_array_get_length(array); ++i)
    if (JsonObject *item = json::objectIn(json_array_get_element(array, i));
        item && present(item, path.substr(bracket + 3)))
      ++count;
  return count < 2 ? "" : path + " is given " + std::to_string(count) + " times, the model takes it once";
}

std::string needs(const Rule &rule, JsonObject *body) {
  if (!present(body, rule.parameters.front()))
    return "";
  JsonNode *other = present(body, rule.other);
  if (other && hasOneOf(other, rule.values))
    return "";
  return rule.parameters.front() + " is given and " + rule.other + " is " +
         (other ? quoted(json::write(other)) : "not") + ", the model takes it only with " + rule.other + " " +
         joined(rule.values, " or ");
}

std::string pair(const Rule &rule, JsonObject *body) {
  JsonNode *value = present(body, rule.parameters.front());
  JsonNode *other = present(body, rule.other);
  const auto scene = json::scalarText(other);
  if (!value || !scene)
    return "";
  const bool wanted = hasOneOf(other, rule.values);
  if (wanted == static_cast<bool>(JSON_NODE_HOLDS_ARRAY(value)))
    return "";
  return rule.parameters.front() + (wanted ? " is one value, " : " is a list, ") + rule.other + " " + quoted(*scene) +
         (wanted ? " takes a list of two" : " takes one value");
}

} // namespace

std::string faultAgainst(const Rule &rule, JsonObject *body) {
  if (rule.parameters.empty())
    return "";
  switch (rule.kind) {
  case Rule::Kind::ExactlyOne:
    return exactlyOne(rule, body);
  case Rule::Kind::AtMostOnce:
    return atMostOnce(rule, body);
  case Rule::Kind::Needs:
    return needs(rule, body);
  case Rule::Kind::Pair:
    return pair(rule, body);
  }
  return "";
}

} // namespace aimlvideo
