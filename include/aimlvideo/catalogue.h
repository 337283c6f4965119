// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <aimlvideo/export.h>

namespace aimlvideo {

/// One parameter of a model as the service documents it. What the documentation leaves open is empty here.
struct Parameter {
  std::string name;
  /// `string`, `integer`, `number`, `boolean`, `array`, `object`, or two of them as in `string|array`
  std::string type;
  bool required = false;
  bool nullable = false;
  bool isUri = false; ///< media: an http(s) URL or a data URI
  bool isUuid = false;
  std::vector<std::string> allowed; ///< each in its JSON spelling without quotes
  std::optional<double> minimum;
  std::optional<double> maximum;
  std::optional<unsigned> minimumLength; ///< of a string, in characters
  std::optional<unsigned> maximumLength;
  std::optional<unsigned> minimumItems;
  std::optional<unsigned> maximumItems;
  std::string itemType; ///< of an array
  bool itemIsUri = false;
  std::vector<Parameter> members;      ///< of an object, or of the objects in an array
  std::vector<Parameter> alternatives; ///< the value must fit one of these; they have no names
  std::string fallback;                ///< what the service takes when it is not sent, in its JSON spelling
  std::string about;

  /// Whether the value is a picture, a clip or a sound, or a list of them.
  bool holdsMedia() const { return isUri || itemIsUri; }
};

/// What the documentation says of several parameters together.
struct Rule {
  enum class Kind {
    ExactlyOne, ///< of `parameters`
    AtMostOnce, ///< `parameters[0]`, a path such as `elements[].video_url`
    Needs,      ///< `parameters[0]` is refused unless `other` is one of `values`
    Pair,       ///< `parameters[0]` is a list when `other` is one of `values`, and a single value otherwise
  };
  Kind kind = Kind::ExactlyOne;
  std::vector<std::string> parameters;
  std::string other;
  std::vector<std::string> values; ///< each in its JSON spelling without quotes
};

/// Documented limits of the images that a model takes. What is not documented is empty.
struct AIMLVIDEO_API ImageLimits {
  std::vector<std::string> types; ///< MIME types
  std::optional<uint64_t> maximumBytes;
  std::optional<unsigned> minimumShortSide; ///< pixels
  std::optional<unsigned> maximumLongSide;
  std::optional<double> minimumAspect; ///< width / height
  std::optional<double> maximumAspect;
  std::optional<unsigned> advisedShortSide; ///< a recommendation, not a limit

  bool any() const;
};

/// What the model's page reports of its one sample run.
struct SampleRun {
  unsigned seconds = 0; ///< time from submission to completion; 0: not documented
  unsigned width = 0;
  unsigned height = 0;
  std::optional<bool> sound;
};

/// The two families of paths on which a generation is created and polled. An id of one is unknown on the other.
enum class EndpointFamily {
  Universal, ///< `/v2/video/generations`
  Legacy,    ///< `/v2/generate/video/VENDOR/generation`
};

struct AIMLVIDEO_API Model {
  std::string id;
  std::vector<std::string> aliases;
  std::string vendor;
  std::string kind; ///< `image-to-video`, `text-to-video`, ...
  /// Names of the parameters by what they carry: `text`, `image`, `video`, `audio`.
  std::map<std::string, std::vector<std::string>> inputs;
  std::string legacyPath; ///< create and poll path with the vendor in it; empty: none is documented
  bool legacyOnly = false;
  SampleRun sample;
  std::vector<Rule> rules;
  ImageLimits imageLimits;
  std::vector<Parameter> parameters;
  std::vector<Parameter> legacyParameters; ///< where the legacy path documents others

  const Parameter *parameter(std::string_view name) const;
  /// What is documented for a family; its own parameters where the legacy path has some.
  const std::vector<Parameter> &parametersOn(EndpointFamily family) const;
};

/// The video models of the service, out of the data compiled into the library, and what a refresh that the user asked
/// for has found beyond them, see refreshCatalogue().
///
/// The service adds models every week, so the catalogue says what is known, not what is allowed.
class AIMLVIDEO_API Catalogue {
public:
  /// Thread-safe, as all its functions are; it and its models live as long as the process.
  static const Catalogue &instance();

  /// By id or alias, byte for byte. Null: not known. Reads no other model.
  const Model *find(std::string_view id) const;
  /// The data of all of them, as JSON text.
  static std::string json();
  /// A sentence that says why the result of a refresh is ignored, in whole or in part; empty: it is not.
  static const std::string &overlayProblem();
  /// All of them, read at the first call.
  const std::vector<Model> &models() const;
  /// All ids and aliases. Reads no model.
  std::vector<std::string> names() const;
  /// The service's own list lacks a model, by id or alias, as of the refresh that the user asked for last. False: the
  /// list has it, or nobody has asked.
  bool isUnlisted(std::string_view id) const;
  /// The ids and aliases in that list; none: nobody has asked.
  static std::vector<std::string> listedNames();

private:
  Catalogue() = default;
};

} // namespace aimlvideo
