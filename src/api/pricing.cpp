// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/pricing.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "api/json.h"

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

class Estimator {
public:
  Estimator(JsonObject *body, const Model *known) : body_(body), known_(known) {}

  Expected fixed(JsonObject *pricing) const {
    Estimate sum;
    const auto units = objectsIn(json::member(pricing, "units"));
    if (units.empty())
      return tl::unexpected(std::string("its price list is empty"));
    for (JsonObject *unit : units) {
      auto part = cost(unit, "measure");
      if (!part)
        return part;
      sum.usd += part->usd;
      sum.basis += (sum.basis.empty() ? "" : " and ") + part->basis;
    }
    return sum;
  }

  Expected variants(JsonObject *pricing) const {
    std::optional<Estimate> dearest;
    std::string why = "no line of its price list fits the request";
    for (JsonObject *variant : objectsIn(json::member(pricing, "variants"))) {
      JsonObject *when = json::objectIn(json::member(variant, "when"));
      if (when && !mayApply(when))
        continue;
      const auto candidate = cost(variant, "unit");
      if (!candidate)
        why = candidate.error();
      else if (!dearest || candidate->usd > dearest->usd)
        dearest = *candidate;
    }
    return dearest ? Expected(*dearest) : tl::unexpected(why);
  }

private:
  /// What the request says of a parameter, or what the service takes without it.
  std::optional<std::string> valueOf(const std::string &name) const {
    if (auto sent = json::scalarText(json::member(body_, name.c_str())))
      return sent;
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
      return {};
    double longest = 0;
    for (const std::string &choice : duration->allowed)
      longest = std::max(longest, g_ascii_strtod(choice.c_str(), nullptr));
    return longest;
  }

  /// Price x quantity / per, for one line of the list.
  Expected cost(JsonObject *line, const char *measureName) const {
    const auto price = json::number(json::member(line, "price"));
    const double per = json::number(json::member(line, "per")).value_or(1);
    const std::string measure = json::scalarText(json::member(line, measureName)).value_or("");
    if (!price || *price < 0 || !(per > 0))
      return tl::unexpected(std::string("its price list holds no usable price"));
    if (sameText(measure, "second") || sameText(measure, "seconds")) {
      const auto length = seconds();
      if (!length || !(*length > 0))
        return tl::unexpected(std::string("it is paid by the second, and the length of the clip is not known; set "
                                          "duration where the model has it"));
      return Estimate{*price * *length / per, plain(*length) + " s at " + plain(*price / per) + " USD per second"};
    }
    for (const char *whole : {"video", "generation", "request", "clip", "videos", "generations", "requests"})
      if (sameText(measure, whole))
        return Estimate{*price / per, plain(*price / per) + " USD per " + measure};
    return tl::unexpected("it is paid by \"" + measure + "\", which can't be counted beforehand");
  }

  JsonObject *body_;
  const Model *known_;
};

} // namespace

std::string pricePath(std::string_view model) {
  const GCharPtr id(g_uri_escape_string(std::string(model).c_str(), nullptr, FALSE));
  return std::string("/v1/models?id=") + id.get() + "&include=pricing";
}

tl::expected<GRefPtr<JsonNode>, std::string> pricingIn(std::string_view body, std::string_view model) {
  const auto root = json::parse(body);
  if (!root)
    return tl::unexpected("its price list can't be read: " + root.error());
  JsonObject *list = json::objectIn(root->get());
  JsonNode *data = list ? json::member(list, "data") : root->get();
  for (JsonObject *entry : objectsIn(data)) {
    bool meant = json::scalarText(json::member(entry, "id")) == model;
    JsonNode *aliases = json::member(entry, "aliases");
    if (aliases && JSON_NODE_HOLDS_ARRAY(aliases))
      for (guint i = 0; i < json_array_get_length(json_node_get_array(aliases)); ++i)
        meant = meant || json::scalarText(json_array_get_element(json_node_get_array(aliases), i)) == model;
    if (!meant)
      continue;
    JsonNode *pricing = json::member(entry, "pricing");
    if (!json::objectIn(pricing))
      return tl::unexpected(std::string("the service lists it without a price"));
    return share(pricing);
  }
  return tl::unexpected(std::string("the service does not list it"));
}

tl::expected<Estimate, std::string> estimateFor(JsonNode *pricing, JsonObject *body, const Model *known) {
  JsonObject *object = json::objectIn(pricing);
  const std::string kind = json::scalarText(json::member(object, "kind")).value_or("");
  const Estimator estimator(body, known);
  Expected estimate = tl::unexpected("its price list is of the unknown kind \"" + kind + "\"");
  if (kind == "fixed")
    estimate = estimator.fixed(object);
  else if (kind == "variants")
    estimate = estimator.variants(object);
  if (!estimate)
    return estimate;
  // a product of decimal fractions has an end, its double may not
  estimate->usd = std::round(estimate->usd * 1e6) / 1e6;
  if (!std::isfinite(estimate->usd)) // no cap could be compared with it
    return tl::unexpected(std::string("its price list holds no usable price"));
  return estimate;
}

std::string usdText(double usd) {
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  std::string text = g_ascii_formatd(buffer, sizeof buffer, "%.4f", usd);
  while (text.ends_with('0') && text.size() - text.find('.') > 3)
    text.pop_back();
  return text + " USD";
}

} // namespace aimlvideo
