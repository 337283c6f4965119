// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/rules.h"

#include <algorithm>

namespace aimlvideo::emulator {

namespace {

bool isGiven(const Json &value) {
  return value.exists() && !value.isNull();
}

bool isOneOf(const Json &value, const Json &values) {
  return std::ranges::any_of(values.elements(), [&](const Json &candidate) { return candidate == value; });
}

std::string brokenExactlyOne(const Json &rule, const Json &body) {
  std::vector<std::string> names;
  for (const Json &name : rule["parameters"].elements())
    names.push_back(name.string());
  const auto count = std::ranges::count_if(names, [&](const std::string &name) { return isGiven(body[name]); });
  if (count == 0)
    return names.front() + ": Required";
  return count == 1 ? std::string() : names.back() + ": Cannot be used together with " + names.front();
}

/// The parameter is a path of the form list[].member.
std::string brokenAtMostOnce(const Json &rule, const Json &body) {
  const std::string path = rule["parameter"].string();
  const size_t bracket = path.find("[].");
  if (bracket == std::string::npos)
    return {};
  const auto elements = body[path.substr(0, bracket)].elements();
  const auto count = std::ranges::count_if(
      elements, [&](const Json &element) { return element.isObject() && isGiven(element[path.substr(bracket + 3)]); });
  return count <= 1 ? std::string() : path + ": Only one is allowed in a request";
}

std::string brokenNeed(const Json &rule, const Json &body) {
  const std::string name = rule["parameter"].string();
  const std::string other = rule["other"].string();
  if (!isGiven(body[name]) || body[other] == rule["value"])
    return {};
  return name + ": Requires " + other + " to be " + rule["value"].dump();
}

std::string brokenPair(const Json &rule, const Json &body) {
  const Json value = body[rule["parameter"].string()];
  const Json other = body[rule["other"].string()];
  if (!isGiven(value) || !isGiven(other) || value.isArray() == isOneOf(other, rule["values"]))
    return {};
  return rule["parameter"].string() +
         (value.isArray() ? ": Expected string, received array" : ": Expected array of 2 elements, received string");
}

} // namespace

std::vector<std::string> findBrokenRules(const std::vector<Json> &rules, const Json &body) {
  std::vector<std::string> mistakes;
  for (const Json &rule : rules) {
    const std::string kind = rule["rule"].string();
    const std::string mistake = kind == "exactly-one"    ? brokenExactlyOne(rule, body)
                                : kind == "at-most-once" ? brokenAtMostOnce(rule, body)
                                : kind == "needs"        ? brokenNeed(rule, body)
                                : kind == "pair"         ? brokenPair(rule, body)
                                                         : std::string();
    if (!mistake.empty())
      mistakes.push_back(mistake);
  }
  return mistakes;
}

} // namespace aimlvideo::emulator
