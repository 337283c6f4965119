// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/wire/json.h"

namespace aimlvideo::emulator {

/// What the service accepts as the value of one parameter.
struct Parameter {
  std::string name;
  std::vector<std::string> types;
  bool required = false;
  bool nullable = false;
  std::string format;
  std::vector<Json> choices;
  Json fallback;
  std::optional<double> min, max;
  std::optional<size_t> minLength, maxLength;
  std::string itemType, itemFormat;
  std::optional<size_t> minItems, maxItems;
  std::vector<Parameter> properties;
  std::vector<Parameter> itemProperties;
  std::vector<Parameter> alternatives;
};

/// What the model's documentation shows of one run; 0 if it does not say.
struct SampleRun {
  double seconds = 0;
  int width = 0;
  int height = 0;
  std::optional<bool> sound;
};

struct Model {
  std::string id;
  std::vector<std::string> aliases;
  std::string vendor;
  std::string kind;
  std::map<std::string, std::vector<std::string>> inputs;
  std::string legacyPath;
  bool legacyOnly = false;
  bool isInvented = false; ///< what it takes is unknown
  bool videoMayBeArray = false;
  SampleRun sample;
  std::vector<Json> rules; ///< between parameters, see findBrokenRules()
  std::vector<Parameter> parameters;
  std::vector<Parameter> legacyParameters;

  const Parameter *parameter(std::string_view name) const;
  bool takes(std::string_view input) const { return inputs.contains(std::string(input)); }
};

/// The models of the service, read from the compiled-in catalogue, and what was found of newer ones.
class Catalogue {
public:
  Catalogue();

  /// By id or alias; nullptr if the service knows no such model.
  const Model *find(std::string_view name) const;
  /// One of which nothing is known but its name.
  const Model *invent(const std::string &name);
  const std::deque<Model> &models() const { return models_; }
  /// Models, and parameters and names of known ones, as `aimlvideo models --refresh` keeps them. False: it is no such
  /// list.
  bool add(const Json &overlay);

private:
  void addNames(size_t index);

  std::deque<Model> models_; ///< tasks point to them
  std::map<std::string, Model> invented_;
  std::map<std::string, size_t, std::less<>> byName_;
};

/// /v2/generate/video/{vendor}/generation, or empty if the vendor never had such a path.
std::string legacyPathOf(const Model &model);

} // namespace aimlvideo::emulator
