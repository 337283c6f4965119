// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "element_options.h"
#include "pipeline.h"

namespace aimlvideo::cli {

/// What the element says of a generation, as far as anybody shows it. Empty or nothing: not said.
struct GenerationNews {
  std::string status;
  std::string note; ///< in words for people
  std::string model;
  std::string generationId;
  std::string origin;
  double elapsed = 0; ///< seconds
  std::optional<double> eta;
  std::optional<int> percent;
  std::optional<double> usdEstimated;
  std::optional<double> usdSpent;

  bool bought() const { return origin == "bought" || origin == "looked-up"; }
};

/// A clip on its way from aimlvideosrc into a file.
class Fetch {
public:
  using Ended = std::function<void(const std::optional<Error> &failure)>;

  /// Both are called from the main loop; `ended` once, and may destroy this.
  Fetch(const PropertyTexts &properties, const std::string &file, std::function<void()> changed, Ended ended);

  const GenerationNews &news() const { return news_; }

private:
  void heard(GstMessage *message);
  void learn(const GstStructure *structure);
  Error errorIn(GstMessage *message) const;

  GenerationNews news_;
  std::function<void()> changed_;
  Ended ended_;
  bool over_ = false;
  Pipeline pipeline_;
  GstElement *source_;
};

} // namespace aimlvideo::cli
