// SPDX-License-Identifier: LGPL-2.1-or-later
// What is read about models that are newer than the catalogue: the file of a refresh, the description of a model and
// the list of those that are given up.
#include "api/overlay.h"

#include "api/catalogue.h"
#include "api/deprecations.h"
#include "api/schema.h"
#include "base/json/node.h"
#include "fuzz.h"

using namespace aimlvideo;
using namespace aimlvideo::fuzz;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view text = textOf(data, size);
  static const auto known = compiledInModel("minimax/hailuo-02");
  const Overlay overlay = parseOverlay(text);
  must_hold(isReadable(overlay.problem));
  for (const auto &[id, model] : overlay.models) {
    must_hold(isModelName(id));
    const auto both = withAdditions(json::objectIn(known.get()), json::objectIn(model.get()));
    must_hold(json::parse(json::write(both.get())).has_value());
    // what was taken over is taken over whole
    const std::string again = R"({"version":1,"models":[)" + json::write(model.get()) + "]}";
    must_hold(parseOverlay(again).models.size() == 1);
  }
  for (const auto &[alias, id] : overlay.aliases)
    must_hold(isModelName(alias) && isModelName(id));
  if (const auto facts = factsFromSchema(text, "m"); !facts)
    must_hold(!facts.error().empty() && isReadable(facts.error()));
  if (const auto deprecation = deprecationIn(text, "m"))
    must_hold(isReadable(deprecation->sentence("m")));
  return 0;
}
