// SPDX-License-Identifier: LGPL-2.1-or-later
#include "faults.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

namespace emulator {
namespace {

struct Kind {
  const char *name;
  bool isAccepted; // unless the rule says otherwise
};

constexpr Kind kinds[] = {{"lost-before", false},  {"lost-after", true},
                          {"status", false},       {"reset", false},
                          {"stall", true},         {"slow", true},
                          {"html", true},          {"empty", true},
                          {"invalid-json", true},  {"truncated", true},
                          {"wrong-length", true},  {"wrong-content-range", true},
                          {"expired-link", true},  {"moved-link", true},
                          {"ignored-range", true}, {"chunked", true},
                          {"changing-etag", true}, {"moderation", true},
                          {"failure", true},       {"unknown-state", true},
                          {"endless", true},       {"completed-at-once", true}};

constexpr std::array phases = {"create", "poll", "clip", "logs", "models", "model", "billing", "unknown"};

template <typename Range>
std::string list(const Range &names) {
  std::string text;
  for (const auto &name : names)
    text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

const Kind *findKind(const std::string &name) {
  auto found = std::ranges::find_if(kinds, [&](const Kind &kind) { return name == kind.name; });
  return found == std::end(kinds) ? nullptr : &*found;
}

tl::expected<uint64_t, std::string> readOrdinal(const Json &match, const char *name) {
  double number = match[name].number();
  if (!match[name].isNumber() || number < 1 || number != std::floor(number))
    return tl::unexpected("match." + std::string(name) + " must be a whole number from 1");
  return static_cast<uint64_t>(number);
}

tl::expected<void, std::string> checkNames(const Json &object, const char *where,
                                           std::initializer_list<std::string_view> known) {
  for (const std::string &name : object.names())
    if (std::ranges::find(known, name) == known.end())
      return tl::unexpected(std::string(where) + " has no \"" + name + "\"; it has " + list(known));
  return {};
}

} // namespace

bool Fault::isAccepted() const {
  const Kind *known = findKind(kind);
  return settings["accepted"].boolean(known && known->isAccepted);
}

Faults::Faults(std::optional<unsigned> seed) : seed_(seed) {}

tl::expected<void, std::string> Faults::replace(const Json &json) {
  auto rules = readAll(json);
  if (!rules)
    return tl::unexpected(rules.error());
  rules_ = std::move(*rules);
  return {};
}

tl::expected<void, std::string> Faults::add(const Json &json) {
  auto rules = readAll(json);
  if (!rules)
    return tl::unexpected(rules.error());
  std::ranges::move(*rules, std::back_inserter(rules_));
  return {};
}

bool Faults::remove(unsigned number) {
  return std::erase_if(rules_, [&](const Rule &rule) { return rule.number == number; }) > 0;
}

tl::expected<std::vector<Faults::Rule>, std::string> Faults::readAll(const Json &json) {
  Json array = json.isObject() && json["faults"].exists() ? json["faults"] : json;
  if (array.isObject())
    array = Json::array({array});
  if (!array.isArray())
    return tl::unexpected<std::string>("expected an array of rules");
  std::vector<Rule> rules;
  for (const Json &element : array.elements()) {
    auto rule = read(element);
    if (!rule)
      return tl::unexpected("rule " + std::to_string(rules.size() + 1) + ": " + rule.error());
    rules.push_back(std::move(*rule));
  }
  return rules;
}

tl::expected<Faults::Rule, std::string> Faults::read(const Json &json) {
  if (auto names = checkNames(json, "a rule", {"match", "fault"}); !names)
    return tl::unexpected(names.error());
  Json match = json["match"].isObject() ? json["match"] : Json::object();
  if (auto names = checkNames(match, "match", {"phase", "path", "nth", "from", "to", "share", "seed"}); !names)
    return tl::unexpected(names.error());
  Rule rule;
  rule.match = match;
  rule.fault = {json["fault"]["kind"].string(), json["fault"]};
  if (!findKind(rule.fault.kind)) {
    std::vector<std::string> names;
    for (const Kind &kind : kinds)
      names.emplace_back(kind.name);
    return tl::unexpected("fault.kind must be one of " + list(names));
  }
  rule.phase = match["phase"].string();
  if (!rule.phase.empty() && std::ranges::find(phases, rule.phase) == phases.end())
    return tl::unexpected("match.phase must be one of " + list(phases));
  if (match["path"].exists()) {
    try {
      rule.path.emplace(match["path"].string());
    } catch (const std::regex_error &) {
      return tl::unexpected<std::string>("match.path is not a regular expression");
    }
  }
  for (auto [name, target] : {std::pair("from", &rule.from), {"to", &rule.to}, {"nth", &rule.from}}) {
    if (!match[name].exists())
      continue;
    auto ordinal = readOrdinal(match, name);
    if (!ordinal)
      return tl::unexpected(ordinal.error());
    *target = *ordinal;
  }
  if (match["nth"].exists())
    rule.to = rule.from;
  if (match["share"].exists()) {
    rule.share = match["share"].number(-1);
    if (*rule.share < 0 || *rule.share > 1)
      return tl::unexpected<std::string>("match.share must be a number from 0 to 1");
  }
  unsigned fallbackSeed = seed_.value_or(std::random_device()());
  rule.random.seed(match["seed"].isNumber() ? static_cast<uint64_t>(match["seed"].number()) : fallbackSeed);
  rule.number = ++lastNumber_;
  return rule;
}

bool Faults::applies(Rule &rule, const std::string &phase, const std::string &target) {
  if (!rule.phase.empty() && rule.phase != phase)
    return false;
  if (rule.path && !std::regex_search(target, *rule.path))
    return false;
  rule.seen++;
  if (rule.seen < rule.from || rule.seen > rule.to)
    return false;
  // One number for each request in the window: the same seed picks the same requests.
  return !rule.share || double(rule.random() >> 11) * 0x1p-53 < *rule.share;
}

std::optional<Fault> Faults::pick(const std::string &phase, const Request &request) {
  std::optional<Fault> picked;
  // std::regex is recursive: a very long address must not exhaust the stack.
  std::string target = request.target().substr(0, 2000);
  for (Rule &rule : rules_) {
    if (!applies(rule, phase, target) || picked)
      continue;
    rule.applied++;
    picked = rule.fault;
  }
  return picked;
}

Json Faults::json() const {
  Json rules = Json::array();
  for (const Rule &rule : rules_)
    rules.add(Json::object({{"number", rule.number},
                            {"match", rule.match},
                            {"fault", rule.fault.settings},
                            {"seen", rule.seen},
                            {"applied", rule.applied}}));
  return rules;
}

} // namespace emulator
