// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/service/listings.h"

#include <algorithm>
#include <array>

#include "base/sha256.h"
#include "emulator/service/prices.h"
#include "emulator/service/schemas.h"
#include "emulator/wire/media.h"

namespace aimlvideo::emulator {

namespace {

/// image_to_video, text_to_video, ... by what the model takes.
std::vector<std::string> capabilitiesOf(const Model &model) {
  std::vector<std::string> capabilities;
  for (const char *input : {"image", "video", "audio"})
    if (model.takes(input))
      capabilities.push_back(std::string(input) + "_to_video");
  if (capabilities.empty() || model.kind.find("text") != std::string::npos)
    capabilities.emplace_back("text_to_video");
  return capabilities;
}

Json stringsJson(const std::vector<std::string> &strings) {
  Json array = Json::array();
  for (const std::string &text : strings)
    array.add(text);
  return array;
}

Json modelJson(const Model &model, bool hasPricing, const std::string &origin) {
  constexpr char type[] = "internal/video-generations/submit";
  const GCharPtr id(g_uri_escape_string(model.id.c_str(), nullptr, FALSE));
  std::string schema =
      origin + "/docs-json?model=" + std::string(id.get()) + "&endpoint=internal%2Fvideo-generations%2Fsubmit";
  Json json =
      Json::object({{"id", model.id},
                    {"object", "model"},
                    {"type", type},
                    {"aliases", stringsJson(model.aliases)},
                    {"info", Json::object({{"name", model.id}, {"developer", model.vendor}, {"docsJson", schema}})},
                    {"capabilities", stringsJson(capabilitiesOf(model))},
                    {"output_modalities", Json::array({"video"})}});
  if (hasPricing)
    json.set("pricing", pricingJson(model));
  return json;
}

/// The values of a filter, which may be repeated or separated by commas; empty without one.
std::vector<std::string> filterOf(const Request &request, const char *name) {
  std::vector<std::string> values;
  for (std::string text : request.parameters(name))
    while (!text.empty()) {
      const size_t comma = std::min(text.find(','), text.size());
      values.push_back(text.substr(0, comma));
      text.erase(0, comma + 1);
    }
  return values;
}

bool contains(const std::vector<std::string> &values, const std::string &value) {
  return std::ranges::find(values, value) != values.end();
}

bool passes(const Model &model, const Request &request) {
  if (const auto ids = filterOf(request, "id");
      !ids.empty() && !contains(ids, model.id) &&
      std::ranges::none_of(model.aliases, [&](auto &a) { return contains(ids, a); }))
    return false;
  if (const auto outputs = filterOf(request, "output_modalities"); !outputs.empty() && !contains(outputs, "video"))
    return false;
  if (const auto wanted = filterOf(request, "capabilities"); !wanted.empty())
    return std::ranges::any_of(capabilitiesOf(model), [&](auto &capability) { return contains(wanted, capability); });
  return true;
}

/// The tag is that of the whole answer, or of `part` if there is one.
Response tagged(const Request &request, const Json &json, const Json &part = {}) {
  Response response = Response::json(200, json);
  const std::string etag =
      "W/\"" + (part.exists() ? sha256(part.dump()) : sha256(response.body.view())).substr(0, 27) + '"';
  response.header("ETag", etag);
  const std::string known = request.header("if-none-match");
  if (known == "*" || known.find(etag) != std::string::npos) {
    response.status = 304;
    response.body = Bytes();
  }
  return response;
}

struct Deprecation {
  const char *id, *alias, *status, *deprecated, *shutdown, *replacedBy, *reason; ///< null: the service says null
};

/// A made-up part of the list, with one model in each state.
constexpr Deprecation deprecationList[] = {
    {"google/gemini-omni-flash-preview", nullptr, "deprecated", "2026-08-20", "2026-09-30",
     "google/gemini-omni-1.1-flash", nullptr},
    {"kling-video/v1.5/standard/text-to-video", "klingai/v1.5-standard-text-to-video", "withdrawn", "2026-07-30",
     "2026-07-30", "kling-video/v1.6/standard/text-to-video", "provider_delisted"},
    {"openai/sora-2-pro", nullptr, "superseded", "2026-06-26", nullptr, "openai/sora-2-pro-t2v", "consolidated"}};

Json deprecationJson(const Deprecation &entry) {
  const auto text = [](const char *value) {
    return value ? Json(value) : Json(nullptr);
  };
  return Json::object({{"id", entry.id},
                       {"aliases", entry.alias ? Json::array({entry.alias}) : Json::array()},
                       {"status", entry.status},
                       {"deprecated_at", entry.deprecated},
                       {"shutdown_at", text(entry.shutdown)},
                       {"replaced_by", text(entry.replacedBy)},
                       {"reason", text(entry.reason)}});
}

bool wantsPricing(const Request &request) {
  return contains(filterOf(request, "include"), "pricing");
}

} // namespace

Response Listings::models(const Request &request) const {
  Json data = Json::array();
  for (const Model &model : service_.catalogue.models())
    if (passes(model, request))
      data.add(request.path == "/models/metrics"
                   ? Json::object({{"id", model.id}, {"latency_seconds", model.sample.seconds}})
                   : modelJson(model, wantsPricing(request), request.origin));
  return tagged(request, Json::object({{"object", "list"}, {"data", data}}));
}

Response Listings::model(const Request &request) const {
  const std::string id = request.path.substr(std::string_view("/model/").size());
  const Model *model = service_.catalogue.find(id);
  if (!model)
    return errorResponse(request, 404, "Model '" + id.substr(0, 200) + "' not found");
  return tagged(
      request, Json::object({{"object", "model"}, {"data", modelJson(*model, wantsPricing(request), request.origin)}}));
}

Response Listings::deprecations(const Request &request) const {
  constexpr std::array states = {"deprecated", "superseded", "withdrawn"};
  auto wanted = filterOf(request, "status");
  for (std::string &state : wanted)
    std::ranges::transform(state, state.begin(), [](char c) { return g_ascii_tolower(c); });
  // what is not recognised filters nothing
  std::erase_if(wanted, [&](const std::string &state) { return std::ranges::find(states, state) == states.end(); });
  const std::string since = request.parameter("since").value_or("");
  Json data = Json::array();
  for (const Deprecation &entry : deprecationList) {
    const std::string latest =
        entry.shutdown ? std::max<std::string>(entry.shutdown, entry.deprecated) : entry.deprecated;
    if ((!wanted.empty() && !contains(wanted, entry.status)) || latest < since)
      continue;
    data.add(deprecationJson(entry));
  }
  const Json list = Json::object({{"object", "list"}, {"generated_at", isoTime(g_get_real_time())}, {"data", data}});
  return tagged(request, list, data).header("Cache-Control", "public, max-age=300");
}

Response Listings::schema(const Request &request) const {
  const Model *model = service_.catalogue.find(request.parameter("model").value_or(""));
  return model ? tagged(request, schemaJson(*model)) : errorResponse(request, 404, "Model not found");
}

Response Listings::logs(const Request &request) {
  if (const auto refusal = service_.refuse(request))
    return *refusal;
  return service_.logs.list(request, service_.options.logDelay);
}

Response Listings::billing(const Request &request) const {
  if (const auto refusal = service_.refuse(request))
    return *refusal;
  if (request.path == "/v2/billing/transactions")
    return service_.account.transactions(request);
  if (request.path == "/v2/usage")
    return service_.account.usage(request);
  return Response::json(200, Json::object({{"current_balance", service_.account.balance()}, {"currency", "USD"}}));
}

} // namespace aimlvideo::emulator
