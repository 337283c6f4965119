// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <json-glib/json-glib.h>

#include "base/glib_ptr.h"

namespace aimlvideo {

/// One parameter of a model as the service documents it. What the documentation leaves open is empty here.
struct Parameter {
  std::string name;
  /// `string`, `integer`, `number`, `boolean`, `array`, `object`, or two of them as in `string|array`
  std::string type;
  bool required = false;
  bool nullable = false;
  bool isUri = false;               ///< media: an http(s) URL or a data URI
  std::vector<std::string> allowed; ///< each in its JSON spelling without quotes
  std::optional<double> minimum;
  std::optional<double> maximum;
  std::optional<unsigned> minimumLength; ///< of a string, in characters
  std::optional<unsigned> maximumLength;
  std::optional<unsigned> minimumItems;
  std::optional<unsigned> maximumItems;
  std::string itemType; ///< of an array
  bool itemIsUri = false;
  std::vector<Parameter> members; ///< of an object, or of the objects in an array
  std::string about;
};

/// What the model's page reports of its one sample run.
struct SampleRun {
  unsigned seconds = 0; ///< time from submission to completion; 0: not documented
  unsigned width = 0;
  unsigned height = 0;
};

struct Model {
  std::string id;
  std::vector<std::string> aliases;
  std::string vendor;
  std::string kind;       ///< `image-to-video`, `text-to-video`, ...
  std::string legacyPath; ///< create and poll path with the vendor in it; empty: none is documented
  bool legacyOnly = false;
  SampleRun sample;
  std::vector<Parameter> parameters;
  std::vector<Parameter> legacyParameters; ///< where the legacy path documents others

  const Parameter *parameter(std::string_view name) const;
};

/// The video models of the service, read once from the data compiled into the library.
///
/// The service adds models every week, so the catalogue is what is known and never a list of what is allowed.
class Catalogue {
public:
  /// Thread-safe; lives as long as the process.
  static const Catalogue &instance();

  /// By id or alias, byte for byte. Null: not known.
  const Model *find(std::string_view id) const;
  const std::vector<Model> &models() const { return models_; }

private:
  Catalogue();

  std::vector<Model> models_;
  std::map<std::string, const Model *, std::less<>> byName_;
};

} // namespace aimlvideo
