// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <random>
#include <string>
#include <vector>

#include "api/catalogue.h"
#include "base/glib_ptr.h"

namespace aimlvideo::test {

using Body = GRefPtr<JsonNode>; ///< holds an object

/// Bodies made from what the catalogue says of a model, for the tests of those who read it.
class Samples {
public:
  Samples(const Model &model, std::minstd_rand &random) : model_(model), random_(random) {}

  /// The required parameters only.
  Body smallest();
  /// Every parameter, as far as the rules between them allow.
  Body fullest();
  /// Any of the parameters with any values that are allowed, and now and then a broken rule.
  Body any();
  /// Spoils one place of a body; what it did, in words.
  std::string spoil(const Body &body);

private:
  enum class Extent { Required, All, Some };

  Body compose(Extent extent);
  GRefPtr<JsonObject> object(const std::vector<Parameter> &parameters, Extent extent);
  JsonNode *value(const Parameter &parameter, Extent extent);
  JsonNode *array(const Parameter &parameter, Extent extent);
  JsonNode *number(const Parameter &parameter);
  void keepRules(JsonObject *body);
  unsigned below(unsigned limit) { return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_); }

  const Model &model_;
  std::minstd_rand &random_;
};

/// One value that a parameter must not have, and a part of the sentence that refuses it.
struct WrongValue {
  Body value;
  std::string expected;
};

/// All kinds of wrong values that the facts of a parameter exclude.
std::vector<WrongValue> wrongValuesFor(const Parameter &parameter);

} // namespace aimlvideo::test
