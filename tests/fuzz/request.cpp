// SPDX-License-Identifier: LGPL-2.1-or-later
// The property `parameters`: the model in the first line, then the JSON object. It decides what is bought and what
// counts as the same purchase.
#include "api/request.h"

#include "api/canonical.h"
#include "base/json/node.h"
#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

namespace {

/// What is written reads back as the same, and equal values have one spelling.
void checkSpelling(JsonNode *node) {
  const std::string text = json::write(node);
  const auto again = json::parse(text);
  must_hold(again.has_value());
  must_hold(json::write(again->get()) == text);
  const std::string canonical = canonicalJson(node);
  must_hold(canonicalJson(again->get()) == canonical);
  const auto reread = json::parse(canonical);
  must_hold(reread.has_value());
  must_hold(canonicalJson(reread->get()) == canonical);
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text = textOf(data, size);
  Inputs inputs;
  const std::string_view model = cutLine(text);
  // the nearest right name of a long wrong one takes its time
  inputs.model = Catalogue::instance().find(model) ? model : model.substr(0, 8);
  const auto parameters = parseParameters(text);
  if (!parameters) {
    must_hold(isReadable(parameters.error().text()));
    return 0;
  }
  inputs.parameters = *parameters;
  const auto node = adopt(json_node_init_object(json_node_alloc(), parameters->get()));
  checkSpelling(node.get());

  const Model *known = Catalogue::instance().find(inputs.model);
  for (const MediaPlace &place : mediaPlacesIn(parameters->get(), known ? &known->parameters : nullptr))
    must_hold(!place.text.empty() && !place.place.empty());

  const auto request = composeRequest(inputs);
  if (!request) {
    must_hold(!isReadable(inputs.model) || isReadable(request.error().text()));
    return 0;
  }
  const auto body = json::parse(request->body);
  must_hold(body.has_value() || !isReadable(inputs.model));
  if (body)
    must_hold(canonicalJson(body->get()) == request->canonical);
  for (const std::string &address : remoteMediaIn(request->canonical))
    must_hold(address.starts_with("http"));
  return 0;
}
