// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/wire/faults.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <sstream>
#include <utility>

namespace aimlvideo::emulator {

namespace {

struct Kind {
  const char *name;
  bool isAccepted;      ///< unless the rule says otherwise
  const char *phases;   ///< that it can strike; empty: all
  const char *settings; ///< beside "kind" and "accepted"
};

constexpr Kind kinds[] = {{"lost-before", false, "", ""},
                          {"lost-after", true, "", ""},
                          {"status", false, "", "status message body content_type retry_after retry_after_as_date"},
                          {"reset", false, "", "bytes"},
                          {"stall", true, "", "bytes"},
                          {"slow", true, "", "bytes_per_second"},
                          {"html", true, "", "status"},
                          {"empty", true, "", "status"},
                          {"invalid-json", true, "", "body"},
                          {"truncated", true, "", "bytes"},
                          {"wrong-length", true, "", "delta"},
                          {"wrong-content-range", true, "clip", "value"},
                          {"expired-link", true, "clip", "status"},
                          {"moved-link", true, "clip", "status target loop"},
                          {"ignored-range", true, "clip", ""},
                          {"chunked", true, "", ""},
                          {"changing-etag", true, "clip", ""},
                          {"moderation", true, "create", "name message"},
                          {"failure", true, "create", "name message"},
                          {"unknown-state", true, "create poll", "state"},
                          {"endless", true, "create", ""},
                          {"completed-at-once", true, "create", ""}};

constexpr std::array phases = {"create", "poll",         "clip",   "logs",    "models",
                               "model",  "deprecations", "schema", "billing", "unknown"};

template <typename Range>
std::string list(const Range &names) {
  std::string text;
  for (const auto &name : names)
    text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

const Kind *findKind(const std::string &name) {
  const auto found = std::ranges::find_if(kinds, [&](const Kind &kind) { return name == kind.name; });
  return found == std::end(kinds) ? nullptr : &*found;
}

std::vector<std::string> split(const std::string &words) {
  std::istringstream stream(words);
  return {std::istream_iterator<std::string>(stream), {}};
}

bool canStrike(const Kind &kind, const std::string &phase) {
  const std::vector<std::string> struck = split(kind.phases);
  return struck.empty() || std::ranges::find(struck, phase) != struck.end();
}

tl::expected<uint64_t, std::string> readOrdinal(const Json &match, const char *name) {
  const double number = match[name].number();
  if (!match[name].isNumber() || number < 1 || number != std::floor(number))
    return tl::unexpected("match." + std::string(name) + " must be a whole number from 1");
  return static_cast<uint64_t>(number);
}

tl::expected<void, std::string> checkNames(const Json &object, const std::string &where,
                                           const std::vector<std::string> &known) {
  for (const std::string &name : object.names())
    if (std::ranges::find(known, name) == known.end())
      return tl::unexpected(where + " has no \"" + name + "\"; it has " + list(known));
  return {};
}

/// Some patterns take exponential time; a search ends after as many steps, some milliseconds.
constexpr char stepLimit[] = "(*LIMIT_MATCH=20000)";
constexpr size_t longestPattern = 1000;

tl::expected<GRefPtr<GRegex>, std::string> compilePattern(const std::string &pattern) {
  GErrorSlot error;
  auto regex = adopt(pattern.size() > longestPattern
                         ? nullptr
                         : g_regex_new((stepLimit + pattern).c_str(), G_REGEX_RAW, GRegexMatchFlags(0), &error));
  if (!regex)
    return tl::unexpected<std::string>("match.path is not a regular expression of at most 1000 characters");
  return regex;
}

/// The fault of a rule for this phase; empty: for any.
tl::expected<Fault, std::string> readFault(const Json &json, const std::string &phase) {
  Fault fault{json["kind"].string(), json};
  const Kind *kind = findKind(fault.kind);
  if (!kind) {
    std::vector<std::string> names;
    for (const Kind &known : kinds)
      names.emplace_back(known.name);
    return tl::unexpected("fault.kind must be one of " + list(names));
  }
  std::vector<std::string> settings = split(kind->settings);
  settings.insert(settings.begin(), {"kind", "accepted"});
  if (const auto names = checkNames(json, "the fault " + fault.kind, settings); !names)
    return tl::unexpected(names.error());
  // they end up in headers
  for (const char *name : {"content_type", "retry_after", "value", "target"})
    if (std::ranges::any_of(json[name].string(), [](char c) { return g_ascii_iscntrl(c); }))
      return tl::unexpected("fault." + std::string(name) + " must not hold control characters");
  if (!phase.empty() && !canStrike(*kind, phase))
    return tl::unexpected("the fault " + fault.kind + " is for match.phase " + list(split(kind->phases)));
  return fault;
}

} // namespace

unsigned Fault::status(unsigned fallback) const {
  return static_cast<unsigned>(std::clamp(settings["status"].number(fallback), 100.0, 599.0));
}

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
  const auto rules = readAll(json);
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
  if (const auto names = checkNames(json, "a rule", {"match", "fault"}); !names)
    return tl::unexpected(names.error());
  Json match = json["match"].isObject() ? json["match"] : Json::object();
  if (const auto names = checkNames(match, "match", {"phase", "path", "nth", "from", "to", "share", "seed"}); !names)
    return tl::unexpected(names.error());
  Rule rule;
  rule.match = match;
  rule.phase = match["phase"].string();
  if (!rule.phase.empty() && std::ranges::find(phases, rule.phase) == phases.end())
    return tl::unexpected("match.phase must be one of " + list(phases));
  auto fault = readFault(json["fault"], rule.phase);
  if (!fault)
    return tl::unexpected(fault.error());
  rule.fault = std::move(*fault);
  if (const auto outcome = readMatch(match, rule); !outcome)
    return tl::unexpected(outcome.error());
  const unsigned fallbackSeed = seed_.value_or(std::random_device()());
  rule.random.seed(match["seed"].isNumber() ? static_cast<uint64_t>(match["seed"].number()) : fallbackSeed);
  rule.number = ++lastNumber_;
  return rule;
}

tl::expected<void, std::string> Faults::readMatch(const Json &match, Rule &rule) {
  if (match["path"].exists()) {
    const auto pattern = compilePattern(match["path"].string());
    if (!pattern)
      return tl::unexpected(pattern.error());
    rule.path = *pattern;
  }
  for (auto [name, target] : {std::pair("from", &rule.from), {"to", &rule.to}, {"nth", &rule.from}}) {
    if (!match[name].exists())
      continue;
    const auto ordinal = readOrdinal(match, name);
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
  return {};
}

bool Faults::applies(Rule &rule, const std::string &phase, const std::string &target) {
  if (!(rule.phase.empty() ? canStrike(*findKind(rule.fault.kind), phase) : rule.phase == phase))
    return false;
  // A search that is given up has found nothing.
  if (rule.path && !g_regex_match_full(rule.path.get(), target.data(), gssize(target.size()), 0, GRegexMatchFlags(0),
                                       nullptr, nullptr))
    return false;
  ++rule.seen;
  if (rule.seen < rule.from || rule.seen > rule.to)
    return false;
  // One number for each request in the window: the same seed picks the same requests.
  return !rule.share || double(rule.random() >> 11) * 0x1p-53 < *rule.share;
}

std::optional<Fault> Faults::pick(const std::string &phase, const Request &request) {
  std::optional<Fault> picked;
  const std::string target = request.target().substr(0, 2000);
  for (Rule &rule : rules_) {
    if (!applies(rule, phase, target) || picked)
      continue;
    ++rule.applied;
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

} // namespace aimlvideo::emulator
