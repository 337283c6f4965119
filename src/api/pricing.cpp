// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/pricing.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/json/node.h"

namespace aimlvideo {

namespace {

using Expected = tl::expected<Estimate, std::string>;

std::string plain(double value) {
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  return g_ascii_formatd(buffer, sizeof buffer, "%.6g", value);
}

std::vector<JsonObject *> objectsIn(JsonNode *node) {
  std::vector<JsonObject *> objects;
  if (node && JSON_NODE_HOLDS_ARRAY(node))
    for (guint i = 0; i < json_array_get_length(json_node_get_array(node)); ++i)
      if (JsonObject *object = json::objectIn(json_array_get_element(json_node_get_array(node), i)))
        objects.push_back(object);
  return objects;
}

bool sameText(const std::string &first, const std::string &second) {
  return g_ascii_strcasecmp(first.c_str(), second.c_str()) == 0;
}

enum class Unit { Second, Piece, Image };

/// The units that can be counted beforehand, in the spellings that lists have.
std::optional<Unit> unitNamed(const std::string &name) {
  static constexpr std::pair<const char *, Unit> units[] = {
      {"second", Unit::Second},    {"seconds", Unit::Second},    {"video", Unit::Piece},   {"videos", Unit::Piece},
      {"generation", Unit::Piece}, {"generations", Unit::Piece}, {"request", Unit::Piece}, {"requests", Unit::Piece},
      {"clip", Unit::Piece},       {"clips", Unit::Piece},       {"image", Unit::Image},   {"images", Unit::Image}};
  const auto found =
      std::ranges::find_if(units, [&](const auto &unit) { return g_ascii_strcasecmp(unit.first, name.c_str()) == 0; });
  return found == std::end(units) ? std::nullopt : std::optional(found->second);
}

tl::unexpected<std::string> notKnown(std::string why) {
  return tl::unexpected(std::move(why));
}

class Estimator {
public:
  Estimator(JsonObject *body, const Model *known) : body_(body), known_(known) {}

  Expected fixed(JsonObject *pricing) const {
    Estimate sum;
    const auto units = objectsIn(json::member(pricing, "units"));
    if (units.empty())
      return notKnown("its price list is empty");
    for (JsonObject *unit : units) {
      auto part = fixedCost(unit);
      if (!part)
        return part;
      sum.usd += part->usd;
      sum.basis += (sum.basis.empty() ? "" : " and ") + part->basis;
    }
    return sum;
  }

  /// The dearest of those that may apply. One of them that can't be counted might be dearer than all others.
  Expected variants(JsonObject *pricing) const {
    std::optional<Estimate> dearest;
    for (JsonObject *variant : objectsIn(json::member(pricing, "variants"))) {
      JsonObject *when = json::objectIn(json::member(variant, "when"));
      if (when && !mayApply(when))
        continue;
      auto candidate = cost(variant, textIn(variant, "unit"), textIn(variant, "measure"));
      if (!candidate)
        return candidate;
      if (!dearest || candidate->usd > dearest->usd)
        dearest = std::move(*candidate);
    }
    return dearest ? Expected(*dearest) : notKnown("no line of its price list fits the request");
  }

private:
  static std::string textIn(JsonObject *line, const char *name) {
    return json::scalarText(json::member(line, name)).value_or("");
  }

  /// What the request says of a parameter, or what the service takes without it.
  std::optional<std::string> valueOf(const std::string &name) const {
    JsonNode *sent = json::member(body_, name.c_str());
    if (sent && !JSON_NODE_HOLDS_NULL(sent))
      return json::scalarText(sent);
    const Parameter *parameter = known_ ? known_->parameter(name) : nullptr;
    return parameter && !parameter->fallback.empty() ? std::optional(parameter->fallback) : std::nullopt;
  }

  /// Whether a variant fits, or might: a value that nobody knows rules nothing out.
  bool mayApply(JsonObject *when) const {
    const auto names = json::memberNames(when);
    return std::all_of(names.begin(), names.end(), [&](const std::string &name) {
      const auto wanted = json::scalarText(json::member(when, name.c_str()));
      const auto value = valueOf(name);
      return !wanted || !value || sameText(*wanted, *value);
    });
  }

  /// The length of the clip; where it is not said, the longest that the model makes.
  std::optional<double> seconds() const {
    for (const char *name : {"duration", "seconds"})
      if (const auto value = valueOf(name))
        return g_ascii_strtod(value->c_str(), nullptr);
    const Parameter *duration = known_ ? known_->parameter("duration") : nullptr;
    if (!duration || duration->allowed.empty())
      return duration ? duration->maximum : std::nullopt;
    double longest = 0;
    for (const std::string &choice : duration->allowed)
      longest = std::max(longest, g_ascii_strtod(choice.c_str(), nullptr));
    return longest;
  }

  /// The images that the request carries.
  std::optional<unsigned> images() const {
    if (!known_)
      return {};
    unsigned count = 0;
    const auto names = known_->inputs.find("image");
    if (names != known_->inputs.end())
      for (const std::string &name : names->second)
        if (JsonNode *node = json::member(body_, name.c_str()); node && !JSON_NODE_HOLDS_NULL(node))
          count += JSON_NODE_HOLDS_ARRAY(node) ? json_array_get_length(json_node_get_array(node)) : 1;
    return count;
  }

  /// The service names the unit in `name` and says in `measure` whether it counts what goes in or what comes out.
  /// Another form has the unit in `measure`. Of a line that can be read either way the dearer counts.
  Expected fixedCost(JsonObject *line) const {
    const std::string name = textIn(line, "name");
    const std::string measure = textIn(line, "measure");
    const bool asUnit = unitNamed(measure).has_value();
    if (!asUnit)
      return cost(line, name.empty() ? measure : name, measure);
    auto other = cost(line, measure, "");
    if (!other || !unitNamed(name))
      return other;
    auto one = cost(line, name, "");
    return !one || one->usd > other->usd ? one : other;
  }

  /// Price x quantity / per, for one line of the list.
  Expected cost(JsonObject *line, const std::string &unit, const std::string &direction) const {
    JsonNode *perNode = json::member(line, "per");
    const auto price = json::number(json::member(line, "price"));
    const auto per = perNode ? json::number(perNode) : std::optional(1.0);
    if (!price || *price < 0 || !per || !(*per > 0))
      return notKnown("its price list contains no usable price");
    const double each = *price / *per;
    const bool ofInput = sameText(direction, "input");
    switch (const auto known = unitNamed(unit); known.value_or(Unit::Piece)) {
    case Unit::Second: {
      if (ofInput)
        return notKnown("it is paid by the second of what is sent, which can't be counted beforehand");
      const auto length = seconds();
      if (!length || !(*length > 0))
        return notKnown("it is paid by the second, and the length of the clip is not known; set duration where the "
                        "model has it");
      return Estimate{each * *length, plain(*length) + " s at " + plain(each) + " USD per second"};
    }
    case Unit::Image: {
      const auto count = ofInput ? images() : std::optional(1U);
      if (!count)
        return notKnown("it is paid by the image that is sent, and which parameters hold images is not known");
      return Estimate{each * *count, std::to_string(*count) + " x " + plain(each) + " USD per image"};
    }
    case Unit::Piece:
      if (known)
        return Estimate{each, plain(each) + " USD per " + unit};
    }
    return notKnown("it is paid by \"" + unit + "\", which can't be counted beforehand");
  }

  JsonObject *body_;
  const Model *known_;
};

} // namespace

std::string pricePath(std::string_view model) {
  const GCharPtr id(g_uri_escape_string(std::string(model).c_str(), nullptr, FALSE));
  return std::string("/v1/models?id=") + id.get() + "&include=pricing";
}

namespace {

/// Id and aliases of an entry of the list.
std::vector<std::string> namesOf(JsonObject *entry) {
  std::vector<std::string> names{json::scalarText(json::member(entry, "id")).value_or("")};
  JsonNode *aliases = json::member(entry, "aliases");
  if (aliases && JSON_NODE_HOLDS_ARRAY(aliases))
    for (guint i = 0; i < json_array_get_length(json_node_get_array(aliases)); ++i)
      names.push_back(json::scalarText(json_array_get_element(json_node_get_array(aliases), i)).value_or(""));
  return names;
}

} // namespace

tl::expected<GRefPtr<JsonNode>, std::string> pricingIn(std::string_view body, std::string_view model) {
  const auto root = json::parse(body);
  if (!root)
    return tl::unexpected("its price list can't be read: " + root.error());
  JsonObject *list = json::objectIn(root->get());
  JsonNode *data = list ? json::member(list, "data") : root->get();
  for (JsonObject *entry : objectsIn(data)) {
    const auto names = namesOf(entry);
    if (std::ranges::find(names, model) == names.end())
      continue;
    JsonNode *pricing = json::member(entry, "pricing");
    if (!json::objectIn(pricing))
      return tl::unexpected(std::string("the service lists it without a price"));
    return share(pricing);
  }
  return tl::unexpected(std::string(notListed));
}

tl::expected<std::map<std::string, GRefPtr<JsonNode>>, std::string> pricingsIn(std::string_view body) {
  const auto root = json::parse(body);
  if (!root)
    return tl::unexpected("its price list can't be read: " + root.error());
  std::map<std::string, GRefPtr<JsonNode>> prices;
  for (JsonObject *entry : objectsIn(json::member(json::objectIn(root->get()), "data")))
    if (JsonNode *pricing = json::member(entry, "pricing"); json::objectIn(pricing))
      for (const std::string &name : namesOf(entry))
        prices.try_emplace(name, share(pricing));
  return prices;
}

tl::expected<Estimate, std::string> estimateFor(JsonNode *pricing, JsonObject *body, const Model *known) {
  JsonObject *object = json::objectIn(pricing);
  const std::string kind = json::scalarText(json::member(object, "kind")).value_or("");
  const Estimator estimator(body, known);
  Expected estimate = notKnown("its price list is of the unknown kind \"" + kind + "\"");
  const std::string currency = json::scalarText(json::member(object, "currency")).value_or("USD");
  if (!sameText(currency, "USD"))
    estimate = notKnown("its price is in \"" + currency + "\"");
  else if (kind == "variable")
    estimate = notKnown("its price varies with what a generation takes, so the service names none beforehand");
  else if (kind == "fixed")
    estimate = estimator.fixed(object);
  else if (kind == "variants")
    estimate = estimator.variants(object);
  if (!estimate)
    return estimate;
  // a product of decimal fractions has an end, its double may not
  estimate->usd = std::round(estimate->usd * 1e6) / 1e6;
  if (!std::isfinite(estimate->usd)) // no cap could be compared with it
    return tl::unexpected(std::string("its price list contains no usable price"));
  return estimate;
}

} // namespace aimlvideo
